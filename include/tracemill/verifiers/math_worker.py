r"""The child program that asks math-verify whether two answers are equal. It is run as a script by `math_pool`.

It reads one JSON line {"gold", "answer", "cpu_seconds"} at a time and replies with one word and a newline:

    equal, different      what math-verify 0.9 says of \boxed{gold} (its first argument) and \boxed{answer}
    same_text             the gold is no mathematics, but the two are letter for letter the same
    unparsable_gold       the gold is no mathematics
    unparsable_answer     the answer is none

A job that uses up its CPU seconds ends the process by SIGPROF, from the kernel: math-verify's own time-outs are
signals that Python code must get round to serving, which some inputs prevent, and which turn into a false "different".
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from functools import lru_cache
from typing import Any

from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

_TARGETS = (LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig())


def compare(gold: str, answer: str) -> str:
    """One of the five words above. Unbounded in time: the caller must be able to kill this process."""
    golds = _parsed(gold)
    if all(isinstance(value, str) for value in golds):
        return "same_text" if gold and gold == answer else "unparsable_gold"
    answers = parse(rf"\boxed{{{answer}}}", _TARGETS, parsing_timeout=None)
    if not answers:
        return "unparsable_answer"
    return "equal" if verify(list(golds), answers, timeout_seconds=None) else "different"


@lru_cache(maxsize=256)
def _parsed(gold: str) -> tuple[Any, ...]:
    return tuple(parse(rf"\boxed{{{gold}}}", _TARGETS, parsing_timeout=None))


def serve() -> None:
    """Answer jobs until standard input ends."""
    replies = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not reach the reply channel
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    compare("1", "2")
    os.write(replies, b"ready\n")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, job["cpu_seconds"])
        word = compare(job["gold"], job["answer"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(replies, word.encode() + b"\n")


if __name__ == "__main__":
    serve()
