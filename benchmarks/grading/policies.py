"""What sequential sampling saves at the error of a fixed number: pass rates drawn as MATH's and GSM8K's are.

A Beta distribution is fitted to the published counts; problems are drawn from it, and each rule says their class. A
fixed number says it in two ways: as the paper does, by whether none, some or all of n passed (`paper`), and as the
likeliest under the prior that the sequential test has, too (`prior`): its strongest opponent. A sample costs the mean
length of a right or of a wrong response of MATH. The frontier is drawn into var/bench/frontier.png.
"""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from benchmarks.grading.replay import published, rows_of
from tracemill.distill.decisions import Decisions, SequentialTest, best_error, decisions
from tracemill.distill.mixtures import single
from tracemill.distill.priors import beta_of

mpl.use("Agg")
from matplotlib import pyplot as plt

PROBLEMS = 20_000
FIXED = (2, 3, 4, 6, 8, 12, 16)
MOST = 32
SOURCES = ("math", "gsm8k")
LOW = 0.2
HIGH = 0.9
DRAWS = 400  # of the paired bootstrap
PICTURE = Path("var/bench/frontier.png")
F64 = NDArray[np.float64]


def figures() -> dict[str, float | int]:
    """The share of tokens saved at the error of four samples, by source, with the worse of its 95 % bounds."""
    folder = Path(os.environ.get("TRACEMILL_DATA", "/nowhere"))
    if not folder.is_dir():
        print("no public samples: set TRACEMILL_DATA to their folder")
        return {}
    labels = published(folder)
    lengths = _lengths(folder)
    found: dict[str, float | int] = {}
    axes = plt.figure(figsize=(7, 4.5)).subplots()
    for seed, name in enumerate(SOURCES):
        passed = np.array([row.count("pass") for row in labels[name]], float)
        shape = beta_of(passed, np.array([len(row) for row in labels[name]], float))
        drawn = _Drawn(shape, lengths, seed)
        frontier = [drawn.fixed(n) for n in FIXED]
        tested = [drawn.sequential(float(wrong.mean())) for _, wrong in frontier]
        axes.plot([t.mean() for t, _ in frontier], [w.mean() for _, w in frontier], "o-", label=f"{name}: fixed n")
        axes.plot([t.mean() for t, _ in tested], [w.mean() for _, w in tested], "s--", label=f"{name}: until_decided")
        at_four = FIXED.index(4)
        paper = drawn.paper(4)
        versus = {
            "paper": (paper, drawn.sequential(float(paper[1].mean()))),
            "prior": (frontier[at_four], tested[at_four]),
        }
        for opponent, (fixed, test) in versus.items():
            saved, least, worse = _compared(fixed, test)
            of = f"{opponent}_{name}"
            found |= {f"tokens_saved_{of}": saved, f"tokens_saved_least_{of}": least, f"error_more_{of}": worse}
    axes.set(
        xlabel="tokens a problem", ylabel="share of problems in the wrong class", title=f"Class by p: {LOW}, {HIGH}"
    )
    axes.legend()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(PICTURE, dpi=120)
    found["tokens_saved_drawn"] = min(found[f"tokens_saved_least_paper_{name}"] for name in SOURCES)
    return found


def _lengths(folder: Path) -> tuple[float, float]:
    """The mean length, in words, of wrong and of right responses."""
    words: tuple[list[int], list[int]] = ([], [])
    for row in rows_of(folder / "math_cot_100x8.jsonl"):
        for right, text in zip(row["score"], row["code"], strict=True):
            words[bool(right)].append(len(text.split()))
    return float(np.mean(words[0])), float(np.mean(words[1]))


class _Drawn:
    """Problems with pass rates of one prior, and the samples that a model would give of each."""

    def __init__(self, shape: tuple[float, float], lengths: tuple[float, float], seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.shape = shape
        self.rate = chance.beta(*shape, PROBLEMS)
        self.right = chance.random((PROBLEMS, MOST)) < self.rate[:, None]
        self.cost = np.where(self.right, lengths[1], lengths[0]).cumsum(axis=1)
        self.passed = np.concatenate([np.zeros((PROBLEMS, 1), int), self.right.cumsum(axis=1)], axis=1)

    def fixed(self, number: int) -> tuple[F64, F64]:
        """Tokens and whether the class is wrong, of each problem with so many samples."""
        return self._of(np.full(PROBLEMS, number))

    def paper(self, number: int) -> tuple[F64, F64]:
        """The same where none, some or all of so many samples passed says the class."""
        passed = self.passed[:, number]
        said = 1 + (passed == number).astype(int) - (passed == 0)
        return self.cost[:, number - 1], (said != np.digitize(self.rate, [LOW, HIGH])).astype(float)

    def sequential(self, error: float) -> tuple[F64, F64]:
        """The same of the sequential test of that error."""
        made = decisions([single(*self.shape)], [1], SequentialTest(LOW, HIGH, 2, MOST, error))
        if made is None:
            best = best_error([single(*self.shape)], [1], SequentialTest(LOW, HIGH, 2, MOST, error))
            raise SystemExit(f"the error {error} is out of reach: {best}")
        return self._of(self._taken(made))

    def _taken(self, made: Decisions) -> NDArray[np.int64]:
        taken = np.zeros(PROBLEMS, int)
        for d in range(MOST):
            going = (taken == d) & ~made.stops[0, d, self.passed[:, d]]
            taken[going] += 1
        return taken

    def _of(self, taken: NDArray[np.int64]) -> tuple[F64, F64]:
        rows = np.arange(PROBLEMS)
        passed = self.passed[rows, taken]
        a = self.shape[0] + passed
        b = self.shape[1] + taken - passed
        hopeless = betainc(a, b, LOW)
        easy = 1 - betainc(a, b, HIGH)
        said = np.argmax([hopeless, 1 - hopeless - easy, easy], axis=0)
        wrong = said != np.digitize(self.rate, [LOW, HIGH])
        return self.cost[rows, taken - 1], wrong.astype(float)


def _compared(fixed: tuple[F64, F64], tested: tuple[F64, F64]) -> tuple[float, float, float]:
    """The share of tokens saved, its lower bound, and the upper bound of the error that is more: a paired bootstrap."""
    chance = np.random.default_rng(0)
    saved = []
    more = []
    for _ in range(DRAWS):
        rows = chance.integers(0, PROBLEMS, PROBLEMS)
        saved.append(1 - tested[0][rows].sum() / fixed[0][rows].sum())
        more.append(tested[1][rows].mean() - fixed[1][rows].mean())
    whole = 1 - tested[0].sum() / fixed[0].sum()
    return float(whole), float(np.quantile(saved, 0.025)), float(np.quantile(more, 0.975))
