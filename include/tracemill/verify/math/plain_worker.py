"""The child program that says what plain math-verify makes of an answer. It is run as a script by `math_pool`.

It speaks as `worker` does, of texts as they are: the reference, put into a box, and the whole answer, from which
math-verify takes what it finds. math-verify reads expressions with sympy, which evaluates text, so this process gives
up its environment, files, sockets and children before the first job, as `worker` does.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from math_verify import parse, verify

from tracemill.verify.math.worker import give_up_rights

# Each loads what its kind of answer needs, which cannot be loaded once files are closed.
_WARM_UP = (
    ("1", r"so $\boxed{2}$"),
    (r"\frac{1}{2}", "The answer is 0.5."),
    (r"\sqrt{2}+\pi", r"$\boxed{\sin x+e^{2}}$"),
    (r"\{1,2\}", r"$\boxed{(1,2)}$"),
    (r"(-\infty, 3]", r"$\boxed{x \le 3}$"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\[\boxed{\begin{pmatrix} 1 \\ 3 \end{pmatrix}}\]"),
    ("x^2+1=0", r"$\boxed{10\%}$ and $5!$ of $\binom{5}{2}$ \text{cm}"),
)


def compare(gold: str, answer: str) -> str:
    """One of: equal, different, unparsable_gold, unparsable_answer."""
    wanted = parse(f"$\\boxed{{{gold}}}$", parsing_timeout=None)
    if not wanted:
        return "unparsable_gold"
    said = parse(answer, parsing_timeout=None)
    if not said:
        return "unparsable_answer"
    return "equal" if verify(wanted, said, timeout_seconds=None) else "different"


def serve() -> None:
    """Answer jobs until standard input ends."""
    logging.disable(logging.CRITICAL)
    replies = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not reach the reply channel
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    for gold, answer in _WARM_UP:
        compare(gold, answer)
    give_up_rights()
    os.write(replies, b"ready\n")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, job["cpu_seconds"])
        word = compare(job["gold"], job["answer"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(replies, word.encode() + b"\n")


if __name__ == "__main__":
    serve()
