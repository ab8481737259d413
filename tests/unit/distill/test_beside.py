"""Verdicts of a task beside: whoever comes first, dies or comes twice, the rows are those of judging in one process."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.build.sampled import RIGHT, rows, sometimes, verifying
from tests.build.shard import MODEL, problem, resources, run, shard
from tracemill.distill.step import Distill
from tracemill.engine.keys import keys_below
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output
from tracemill.engine.store import Store
from tracemill.errors import VerdictsGone
from tracemill.models.fake import FakeServer
from tracemill.models.lease import leave_word, wanted
from tracemill.verify import beside, parts
from tracemill.verify.bench import Verdicts
from tracemill.verify.beside import Beside
from tracemill.verify.code import CodeVerifier
from tracemill.verify.companion import Companion, Seat
from tracemill.verify.math.verifier import MathVerifier
from tracemill.verify.parts import Part, Parts, lease_name, verdict_rows, verdicts_of, who
from tracemill.verify.verifier import Question, Verdict

PROJECT = Path(__file__).parents[3]
PROBLEMS = [problem(f"p{n}", f"What is {n} + {RIGHT - n}?", reference_answer=str(RIGHT)) for n in range(6)]
MATH = (MathVerifier(),)
UNTIL_PASS = {"kind": "until_pass", "max": 6, "verifiers": [{"kind": "math"}]}
UNTIL_DECIDED = {**UNTIL_PASS, "kind": "until_decided", "error": 0.2, "prior": {"alpha": 0.5, "beta": 0.5}}
POLICIES = {"until_pass": UNTIL_PASS, "until_decided": UNTIL_DECIDED}


def distill(policy: dict[str, Any] = UNTIL_PASS, **teacher: Any) -> Distill:
    model = {**MODEL, "serve": {"concurrency": 4}}
    settings = {"kind": "chat", "model": model, "sampling": {"max_tokens": 50}, "policy": policy, **teacher}
    return TypeAdapter(Distill).validate_python({"kind": "distill", "teacher": settings, "problems": "all"})


def apart(step: Distill, server: FakeServer, inputs: Inputs, **more: Any) -> Output:
    """Run the step where another task gives the verdicts."""
    return step.run(replace(resources(server), beside=True, **more), inputs)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.at(str(tmp_path / "store"), create=True)


def bytes_of(output: Output) -> Any:
    return output.tables["generations"].drop(["seconds"])


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_two_tasks_beside_and_any_arrival_give_what_one_process_gives(
    tmp_path: Path, store: Store, policy: dict[str, Any]
) -> None:
    alone = Store.at(str(tmp_path / "alone"), create=True)
    expected = run(distill(policy), FakeServer(say=sometimes(0.4)), shard(alone, problems=PROBLEMS))
    chance = random.Random(7)
    server = FakeServer(say=sometimes(0.4), seconds=lambda prompt, seed: chance.random() / 20)
    with verifying(store, MATH, workers=2) as judges:
        found = apart(distill(policy), server, shard(store, problems=PROBLEMS))
    assert bytes_of(found).equals(bytes_of(expected))
    assert found.ledger.equals(expected.ledger)
    assert sum(judge.judged for judge in judges) > 0
    assert keys_below(store, parts.PARTS) == [], "what is done leaves no parts"


@pytest.mark.parametrize(("share", "asked"), [(1.0, 2), (0.0, 12)], ids=["right at once", "six equal wrong answers"])
def test_all_is_judged_beside_and_equal_answers_once(store: Store, share: float, asked: int) -> None:
    inputs = shard(store, problems=PROBLEMS[:2])
    with verifying(store, MATH) as (judge,):
        found = apart(distill(), FakeServer(say=sometimes(share)), inputs)
    assert len(rows(found)) == asked
    assert judge.judged == 2


KILLED_ASKING = """
import os, signal, sys
from tests.unit.distill import test_beside as case
class Deadly(case.FakeServer):
    async def post(self, url, *rest):
        if len(self.requests) + 1 == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().post(url, *rest)
inputs = case.shard(case.Store.at(sys.argv[1]), problems=case.PROBLEMS)
case.apart(case.distill(), Deadly(say=case.sometimes(0.4)), inputs)
"""
KILLED_JUDGING = """
import os, signal, sys
from tests.unit.distill import test_beside as case
class Deadly(case.Store):
    left = int(sys.argv[2])
    def create_bytes(self, key, data):
        Deadly.left -= 1
        if Deadly.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create_bytes(key, data)
seat = case.Seat(case.MATH, case.who(case.MATH, case.Resources(workers=1)))
case.Companion([seat], Deadly.at(sys.argv[1]), case.Resources(workers=1), lambda: False).serve()
"""


def killed(script: str, store: Store, after: int) -> None:
    command = [sys.executable, "-c", script, store.root, str(after)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.slow
def test_killing_either_of_both_changes_no_row(tmp_path: Path, store: Store) -> None:
    alone = Store.at(str(tmp_path / "alone"), create=True)
    expected = run(distill(), FakeServer(say=sometimes(0.4)), shard(alone, problems=PROBLEMS))
    inputs = shard(store, problems=PROBLEMS)
    with verifying(store, MATH):
        killed(KILLED_ASKING, store, 9)
    with pytest.raises(VerdictsGone):  # questions are left open: nobody judges just now
        apart(distill(), FakeServer(say=sometimes(0.4)), inputs, away=0.5)
    killed(KILLED_JUDGING, store, 0)
    with verifying(store, MATH):
        found = apart(distill(), FakeServer(say=sometimes(0.4)), inputs)
    assert bytes_of(found).equals(bytes_of(expected))


def test_without_a_task_beside_the_world_failed_and_says_why(store: Store) -> None:
    inputs = shard(store, problems=PROBLEMS[:1])
    bench = who(MATH, Resources(workers=1))
    server = FakeServer(say=sometimes(1.0))
    with pytest.raises(VerdictsGone, match="no verify task gives the verdicts"):
        apart(distill(), server, inputs, away=0.5)
    assert wanted(store, lease_name(bench)), "whoever verifies is woken"
    assert len(server.requests) == 1, "what was answered is kept"


def test_what_ended_the_task_beside_is_what_the_waiting_one_says(store: Store) -> None:
    bench = who(MATH, Resources(workers=1))
    waiting = Beside(store, bench, "near", problems_of(), patience=0.1)
    waiting.ask([question("q", "7")])
    leave_word(store, lease_name(bench), RuntimeError("no namespaces here"), final=True)
    with pytest.raises(VerdictsGone, match="RuntimeError: no namespaces here"):
        until_told(waiting)


def test_one_that_lives_and_does_nothing_is_not_waited_for_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "STANDSTILL", 0.5)
    bench = who(MATH, Resources(workers=1))
    waiting = Beside(store, bench, "near", problems_of(), patience=1.0)
    waiting.ask([question("q", "7")])
    stuck = Companion([Seat(MATH, bench)], store, Resources(workers=1), lambda: False)
    with stuck._lease(Seat(MATH, bench)), pytest.raises(Exception, match="lives and gave no verdict for") as raised:
        until_told(waiting)
    assert not isinstance(raised.value, VerdictsGone)


def problems_of() -> Any:
    from tests.build.shard import rows as table

    return table("problems", PROBLEMS).select(["id", *parts.POSED])


def question(identity: str, answer: str) -> Question:
    return Question(identity, "p0", "", None, None, None, answer)


def until_told(waiting: Beside) -> Verdicts:
    told: Verdicts = {}
    for _ in range(600):
        told |= waiting.made()
        if not waiting.waits:
            return told
        beside.time.sleep(0.05)
    raise AssertionError("nobody told")


def said(identity: str, status: Any = "pass") -> Verdicts:
    return {identity: [Verdict(identity, "p0", "math", status, 1.0, "equal")]}


def test_of_two_verdicts_on_one_part_the_first_is_seen_by_all(store: Store) -> None:
    """Trap: a program near its time limit passes once and fails once."""
    waiting = Beside(store, "bench", "near", problems_of())
    waiting.ask([question("q", "7")])
    waiting.made()
    (part,) = Parts.below(store, "bench").open
    first, second = (parts.encoded(verdict_rows(said("q", status))) for status in ("pass", "fail"))
    assert store.create_bytes(part.verdicts, first)
    assert not store.create_bytes(part.verdicts, second)
    assert until_told(waiting) == said("q")
    again = Beside(store, "bench", "near", problems_of())
    again.ask([question("q", "7")])
    assert until_told(again) == said("q"), "a second try is told the same"


def test_verdicts_outlive_the_parts_for_a_try_that_comes_after(store: Store) -> None:
    first = Beside(store, "bench", "near", problems_of())
    copy = Beside(store, "bench", "near", problems_of())
    for waiting in (first, copy):
        waiting.ask([question("q", "7")])
        waiting.made()
    for part in Parts.below(store, "bench").open:
        store.create_bytes(part.verdicts, parts.encoded(verdict_rows(said("q"))))
    assert until_told(first) == said("q")
    first.close()
    assert keys_below(store, parts.PARTS) == []
    assert until_told(copy) == said("q"), "a copy of the task, whose questions the first one removed"
    after = Beside(store, "bench", "near", problems_of())
    after.ask([question("q", "7")])
    assert until_told(after) == said("q")


def test_a_question_that_no_verifier_can_judge_is_answered_too(store: Store) -> None:
    inputs = shard(store, problems=[*PROBLEMS[:1], problem("chat", "Tell me a joke.")])
    with verifying(store, MATH):
        found = apart(distill(samples=2), FakeServer(say=sometimes(1.0)), inputs)
    assert [name for name, _, _ in rows(found)] == ["chat", "chat", "p0"] or len(rows(found)) == 3
    assert verdicts_of(verdict_rows({"q": [], "r": said("r")["r"]})) == {"q": [], "r": said("r")["r"]}


@pytest.mark.slow
def test_programs_stop_the_sampling_of_their_problem(store: Store) -> None:
    """The second program is right; the first one and those after it never count."""
    tests = '{"inputs": ["3\\n"], "outputs": ["6\\n"]}'
    asked = problem("double", "Read a number and print its double.", test_case=tests, category="code")
    code = "```python\nprint(int(input()) * {})\n```"
    server = FakeServer(say=lambda prompt, seed: code.format(2 if len(server.requests) > 1 else 3))
    policy = {"kind": "until_pass", "max": 6, "verifiers": [{"kind": "code"}]}
    with verifying(store, [CodeVerifier()]):
        found = apart(distill(policy), server, shard(store, problems=[asked]))
    assert [sample for _, sample, _ in rows(found)] == [0, 1]


def test_parts_are_told_apart_by_verifiers_and_shard(store: Store) -> None:
    near, far = (Part("bench", shard, "x") for shard in ("near", "far"))
    for part in (near, far, Part("other", "near", "x")):
        store.write_bytes(part.asked, b"")
    assert Parts.below(store, "bench").open == [far, near]
    assert Parts.below(store, "bench", "near").open == [near]
