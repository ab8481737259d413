"""What a worker that compares answers may do, whatever an answer says: compute, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracemill.engine.resources import Resources
from tracemill.text.answer_text import normalised_answer
from tracemill.verify.math.pool import MathPool, Pair
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.verifier import Question

INCLUDE = Path(__file__).resolve().parents[3] / "include"
# A grader that gave answers to eval, or to a parser that evaluates, ran the like of these (lm-evaluation-harness and
# others have had it reported).
PAYLOADS = (
    '__import__("os").system("touch MARK")',
    "exec(\"import os; os.mknod('MARK')\")",
    r"\text{__import__('os').system('touch MARK')}",
    "open('MARK','w').write('x')",
    "(lambda: [c for c in ().__class__.__base__.__subclasses__()])()",
    r"\operatorname{eval}(open('MARK','w'))",
    "Symbol('x').__class__.__init__.__globals__",
    "factorial(factorial(factorial(9)))",
    'sympify(\'open("MARK","w")\')',
    r"\input{MARK}\write18{touch MARK}",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_answer_runs_as_a_program(payload: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = payload.replace("MARK", str(mark))
    sides = [("7", rf"\boxed{{{text}}}"), (text, r"\boxed{7}"), ("7", f"The answer is {text}")]
    asked = [Question(str(n), "p", "", gold, None, None, answer) for n, (gold, answer) in enumerate(sides)]
    verdicts = list(MathVerifier().judge(asked, Resources(workers=1)))
    assert not mark.exists()
    assert {verdict.status for verdict in verdicts} <= {"fail", "unverifiable"}


def test_an_answer_leaves_nothing_behind_for_the_next() -> None:
    probes = [Pair(r"\sqrt{18}", r"3\sqrt{2}"), Pair("x+2", "x+3"), Pair("(1,2]", r"1<x\le 2")]
    odd = [r"\pi=3", "x:=3", "True=False", r"\def\sqrt{\pi}", "e=2", "i=0", r"\frac{1}{0}", "0^0", "(" * 50, "mp.dps=1"]
    with MathPool(1, 5.0, 1 << 30) as pool:
        alone = dict(one for pair in probes for one in pool.submit(pair)) | dict(pool.drain())
        mixed = [
            pair for text in odd for pair in (Pair(normalised_answer(text), normalised_answer(text) + "1"), *probes)
        ]
        after = [one for pair in mixed for one in pool.submit(pair)] + list(pool.drain())
    assert list(alone.values()) == ["equal", "different", "equal"]
    assert {(pair, word) for pair, word in after if pair in alone} == set(alone.items())


TRIES = {
    "environment": "print(sorted(os.environ))",
    "file": "print(open('/etc/hostname').read())",
    "socket": "import socket; print(socket.socket())",
    "process": "print(os.fork())",
    "program": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("name", TRIES)
def test_a_worker_has_given_up_what_it_does_not_need(name: str) -> None:
    given_up = "import os, socket\nfrom tracemill.verify.math.worker import give_up_rights\ngive_up_rights()\n"
    program = given_up + TRIES[name]
    environment = {**os.environ, "PYTHONPATH": str(INCLUDE), "SECRET": "token"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    if name == "environment":
        assert done.stdout.strip() == "[]"
    else:
        assert done.returncode != 0
        assert "Error" in done.stderr
