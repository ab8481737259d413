"""The child program that says whether two answers are equal. It is run as a script by `math_pool`.

It reads one JSON line {"gold", "answer", "asked", "cpu_seconds"} at a time, answers normalised, and replies with one
word and a newline: equal, different, unknown, unparsable_gold or unparsable_answer (see `Finding`).

What it reads was written by models and strangers, so before the first job it gives up what it does not need: its
environment is empty, it can open no file and no socket, start no process and grow no file. Nothing of an answer is ever
evaluated as a program: answers are parsed by a grammar (`answers.formula`) whose numbers and letters alone get values.
A job that uses up its CPU seconds ends the process by SIGPROF, from the kernel. No job leaves anything behind that
another could read: there is no cache of parsed answers, and precision is fixed.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tracemill.sandbox.worker.seccomp import Filter
from tracemill.verify.math.answers.comparing import same_answer
from tracemill.verify.math.answers.reading import read
from tracemill.verify.math.answers.shapes import Opaque
from tracemill.verify.math.answers.words import is_prose

_WARM_UP = (("1", "2"), (r"\sqrt{2}+\pi", r"\sin x+e^{2}"), (r"\{1,2\}", "(1,2)"), (r"\ln 7", r"5!+\binom{5}{2} ⟦cm⟧"))


def compare(gold: str, answer: str, asked: str = "") -> str:
    """One of the five words above."""
    found = same_answer(gold, answer, asked)
    if found != "unknown":
        return found
    shape = read(gold)
    if isinstance(shape, Opaque) or is_prose(shape):
        return "unparsable_gold"
    return "unparsable_answer" if isinstance(read(answer), Opaque) else "unknown"


def give_up_rights() -> None:
    """Leave this process nothing but its memory, its processor and the two pipes that it has."""
    os.environ.clear()
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))
    with contextlib.suppress(OSError):  # no table of calls for this machine, or a kernel without seccomp
        Filter(own_pid_only=True).install(os.getpid())


def serve(answered: Callable[[Mapping[str, Any]], str], warm_up: Sequence[Mapping[str, Any]]) -> None:
    """Answer jobs until standard input ends: `answered` gives the word of each. `warm_up`: jobs that load what others
    need, since nothing can be loaded once the rights are given up.
    """
    replies = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not reach the reply channel
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for job in warm_up:
        answered(job)
    give_up_rights()
    os.write(replies, b"ready\n")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, job["cpu_seconds"])
        word = answered(job)
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(replies, word.encode() + b"\n")


if __name__ == "__main__":
    serve(
        lambda job: compare(job["gold"], job["answer"], job["asked"]),
        [{"gold": gold, "answer": answer, "asked": ""} for gold, answer in _WARM_UP],
    )
