"""The child program that says what plain math-verify makes of an answer. It is run as a script by `math_pool`.

It speaks as `worker` does, of texts as they are: the reference, put into a box, and the whole answer, from which
math-verify takes what it finds. math-verify reads expressions with sympy, which evaluates text, so this process gives
up its environment, files, sockets and children before the first job, as `worker` does.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from math_verify import parse, verify

from tracemill.verify.math.worker import serve

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


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    serve(
        lambda job: compare(job["gold"], job["answer"]),
        [{"gold": gold, "answer": answer} for gold, answer in _WARM_UP],
    )
