"""What `until_decided` saves at the error of a fixed number, on what the zoo's teachers really solve (truth.jsonl).

The truth of a problem and teacher is its pass rate of 64 samples; its class follows from the policy's bounds. Passes
are drawn from these 64, each with the mean length of a right or a wrong one of that very problem. The policy is the
product's own: its prior is fitted by `pilot`'s rule to eight draws of each problem of four fifths, by category and
level, and its `error` is chosen there too, as the highest that errs no more there than the opponent does; all figures
are of the last fifth, each in its turn. A fixed number says the class as the paper does, by whether none, some or all
passed (`paper`), or as the likeliest under the same prior (`prior`), its strongest opponent.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.grading.truth import COUNTS, SAMPLES, TEACHERS, Known, known
from tracemill.distill.decisions import chances
from tracemill.distill.policies import UntilDecided
from tracemill.distill.priors import Group, Tried, fitted, group_of, known_from
from tracemill.distill.until_decided import Decided
from tracemill.engine.tables import columns_of
from tracemill.errors import RecipeError
from tracemill.verify.math.verifier import MathVerifier

mpl.use("Agg")
from matplotlib import pyplot as plt

FIXED = (2, 3, 4, 6, 8, 12, 16)
REFERENCE = 4  # passes of each of the three teachers, as the paper has
MOST = 16
LOW = 0.2
HIGH = 0.9
PILOT = 8  # draws of a problem to which the prior is fitted
ERRORS = np.geomspace(0.04, 0.3, 48)
AGAIN = 40  # draws of the whole, of which a problem's figures are the mean
BOOTSTRAP = 2000
FOLDS = 5
PICTURE = Path("var/bench/frontier_zoo.png")
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(eq=False)
class Fit:
    """What a pilot on some problems makes of a teacher: the decision tables for each error, and the prior."""

    teacher: str
    rows: Sequence[Known]
    fit: Literal["beta", "mixture"] = "mixture"
    saves: Literal["samples", "tokens"] = "tokens"
    _tables: dict[float, Decided | None] = field(default_factory=dict)

    @cached_property
    def priors(self) -> pa.Table:
        """The table that the step `pilot` would write."""
        chance = np.random.default_rng(len(self.rows))
        tried = [_tried(one, int(chance.binomial(PILOT, one.passed / SAMPLES))) for one in self.rows]
        rows = [{**row, "teacher": self.teacher, "mode": None} for row in fitted(tried, self.fit)]
        return pa.Table.from_pylist(rows, columns_of("priors"))

    def says(self, groups: Sequence[Group]) -> I64:
        """The likeliest class of a problem of each group, by decided and passed, under the narrowest prior there is."""
        rows = {(row["category"], row["difficulty"]): row for row in self.priors.to_pylist()}
        made = {group: chances(known_from(row).prior, LOW, HIGH, MOST)[0].argmax(axis=0) for group, row in rows.items()}
        return np.stack([made[group_of(*group, made)] for group in groups])

    def decided(self, error: float) -> Decided | None:
        """The policy's tables; None: the error is out of reach."""
        if error not in self._tables:
            self._tables[error] = self._made(error)
        return self._tables[error]

    def _made(self, error: float) -> Decided | None:
        judged = (MathVerifier(),)
        policy = UntilDecided(max=MOST, error=error, low=LOW, high=HIGH, verifiers=judged, saves=self.saves)
        try:
            found = policy.ruling(self.priors, self.teacher, [None])
        except RecipeError:
            return None
        assert isinstance(found, Decided)
        return found


class Held:
    """Some problems of a teacher, with passes drawn for each of them, under a fit to the same or to others."""

    def __init__(self, fit: Fit, rows: Sequence[Known], seed: int) -> None:
        chance = np.random.default_rng(seed)
        self._fit = fit
        self._groups = [group_of_row(one) for one in rows]
        self._rate = np.repeat([one.passed / SAMPLES for one in rows], AGAIN)
        self._says = np.repeat(fit.says(self._groups), AGAIN, axis=0)
        right = chance.random((len(self._rate), MOST)) < self._rate[:, None]
        lengths = np.repeat([lengths_of(one) for one in rows], AGAIN, axis=0)
        self._cost = np.where(right, lengths[:, :1], lengths[:, 1:]).cumsum(axis=1)
        self._passed = np.concatenate([np.zeros((len(right), 1), int), right.cumsum(axis=1)], axis=1)

    def fixed(self, number: int) -> tuple[F64, F64]:
        """Tokens and error of each problem with so many samples, its class said as the likeliest."""
        return self._of(np.full(len(self._rate), number))

    def paper(self, number: int) -> tuple[F64, F64]:
        """The same where none, some or all of so many samples passed says the class."""
        passed = self._passed[:, number]
        return self._means(np.full(len(passed), number), 1 + (passed == number).astype(int) - (passed == 0))

    def until_decided(self, error: float) -> tuple[F64, F64] | None:
        """The same of the policy; None where the error is out of reach."""
        ruling = self._fit.decided(error)
        if ruling is None:
            return None
        groups, found = ruling.tables[None]
        place = np.repeat([groups.index(group_of(*group, groups)) for group in self._groups], AGAIN)
        taken = np.zeros(len(self._rate), int)
        for d in range(MOST):
            going = (taken == d) & ~found.stops[place, d, self._passed[:, d]]
            taken[going] += 1
        return self._of(taken)

    def _of(self, taken: I64) -> tuple[F64, F64]:
        passed = self._passed[np.arange(len(taken)), taken]
        return self._means(taken, self._says[np.arange(len(taken)), taken, passed])

    def _means(self, taken: I64, said: I64) -> tuple[F64, F64]:
        wrong = said != class_of(self._rate)
        tokens = self._cost[np.arange(len(taken)), taken - 1]
        return tokens.reshape(-1, AGAIN).mean(axis=1), wrong.reshape(-1, AGAIN).mean(axis=1)


def figures() -> dict[str, float | int]:
    """The share of tokens saved at the error of three teachers' four passes, with the worse of its 95 % bounds."""
    if not COUNTS.exists():
        print("no counts of the zoo: python -m benchmarks.grading.truth sample, and count")
        return {}
    rows = {name: [one for one in known() if one.teacher == name] for name in TEACHERS}
    chosen = [(fit, own, held) for name in TEACHERS for fit, own, held in _folds(name, rows[name])]
    known_there = [Held(fit, own, seed) for seed, (fit, own, _) in enumerate(chosen)]
    measured = [Held(fit, held, 100 + seed) for seed, (fit, _, held) in enumerate(chosen)]
    found: dict[str, float | int] = {"truth_problems": len(rows[TEACHERS[0]]), **_classes(rows)}
    for opponent, number in itertools.product(("paper", "prior"), (REFERENCE, 2 * REFERENCE)):
        say = Held.paper if opponent == "paper" else Held.fixed
        error = _error(known_there, lambda held, say=say, number=number: say(held, number))
        saved, least, more = _compared(
            _all(measured, lambda held, say=say, number=number: say(held, number)),
            _all(measured, lambda held, error=error: held.until_decided(error)),
        )
        of = f"{opponent}_{number}"
        found |= {f"tokens_saved_zoo_{of}": saved, f"tokens_saved_zoo_least_{of}": least}
        found |= {f"error_more_zoo_{of}": more, f"error_asked_zoo_{of}": error}
        found[f"error_zoo_{of}"] = error_of(measured, lambda held, say=say, number=number: say(held, number))
    _draw(measured)
    found["tokens_saved_at_equal_error"] = found[f"tokens_saved_zoo_least_paper_{REFERENCE}"]
    return found


def _folds(teacher: str, rows: Sequence[Known]) -> list[tuple[Fit, Sequence[Known], Sequence[Known]]]:
    """For each fifth of the problems: a fit to the others, these, and that fifth."""
    parts = [(list(rows[k::FOLDS]), [one for n, one in enumerate(rows) if n % FOLDS != k]) for k in range(FOLDS)]
    return [(Fit(teacher, own), own, held) for held, own in parts]


def _all(parts: Sequence[Held], measure: Callable[[Held], tuple[F64, F64] | None]) -> tuple[F64, F64]:
    """Tokens and errors of all problems of all teachers; infinite where an error is out of reach of any."""
    found = [measure(part) for part in parts]
    there = [one for one in found if one is not None]
    if len(there) < len(found):
        return np.array([np.inf]), np.array([np.inf])
    return np.concatenate([tokens for tokens, _ in there]), np.concatenate([wrong for _, wrong in there])


def _error(parts: Sequence[Held], opponent: Callable[[Held], tuple[F64, F64] | None]) -> float:
    """The highest error to ask for that errs no more than the opponent."""
    limit = error_of(parts, opponent)
    fitting = [e for e in ERRORS if _all(parts, lambda held, e=e: held.until_decided(float(e)))[1].mean() <= limit]
    if not fitting:
        raise SystemExit(f"no error within reach is as low as {limit:.3f}")
    return float(max(fitting))


def error_of(parts: Sequence[Held], measure: Callable[[Held], tuple[F64, F64] | None]) -> float:
    """The mean error over all teachers."""
    return float(_all(parts, measure)[1].mean())


def _compared(fixed: tuple[F64, F64], tested: tuple[F64, F64]) -> tuple[float, float, float]:
    """The share of tokens saved, its lower bound, and the upper bound of the error that is more: a paired bootstrap.

    Problems are drawn, each with all its teachers: their parts hold the problems in one order.
    """
    tokens, wrong = ([_by_problem(one[k]) for one in (fixed, tested)] for k in (0, 1))
    chance = np.random.default_rng(0)
    drawn = chance.integers(0, len(tokens[0]), (BOOTSTRAP, len(tokens[0])))
    saved = 1 - tokens[1][drawn].sum(axis=1) / tokens[0][drawn].sum(axis=1)
    more = (wrong[1] - wrong[0])[drawn].mean(axis=1) / len(TEACHERS)
    whole = 1 - tokens[1].sum() / tokens[0].sum()
    return float(whole), float(np.quantile(saved, 0.025)), float(np.quantile(more, 0.975))


def _by_problem(values: F64) -> F64:
    """The sum over teachers, by problem."""
    total: F64 = values.reshape(len(TEACHERS), -1).sum(axis=0)
    return total


def _draw(parts: Sequence[Held]) -> None:
    axes = plt.figure(figsize=(7, 4.5)).subplots()
    for say, label in ((Held.paper, "fixed n: none, some or all"), (Held.fixed, "fixed n: likeliest")):
        points = [_all(parts, lambda held, say=say, n=n: say(held, n)) for n in FIXED]
        axes.plot([t.mean() for t, _ in points], [w.mean() for _, w in points], "o-", label=label)
    tested = [_all(parts, lambda held, e=e: held.until_decided(float(e))) for e in ERRORS]
    points = [one for one in tested if np.isfinite(one[0]).all()]
    axes.plot([t.mean() for t, _ in points], [w.mean() for _, w in points], "s--", label="until_decided")
    axes.set(xlabel="tokens a problem and teacher", ylabel="share of problems in the wrong class")
    axes.set_title(f"Teachers of the zoo, n = {', '.join(map(str, FIXED))}; class by p: {LOW}, {HIGH}")
    axes.legend()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    axes.figure.savefig(PICTURE, dpi=120)


def _classes(rows: dict[str, list[Known]]) -> dict[str, float]:
    """The share of the rarest class, over all teachers together and of the teacher that has fewest."""
    counts = [
        np.bincount(class_of(np.array([one.passed / SAMPLES for one in own])), minlength=3) for own in rows.values()
    ]
    for name, count in zip(rows, counts, strict=True):
        print(f"{name}: {count.tolist()} problems hopeless, usable, easy")
    shares = [count / count.sum() for count in counts]
    return {"rarest_class": float(np.mean(shares, axis=0).min()), "rarest_class_of_any": float(np.min(shares))}


def _tried(one: Known, passed: int) -> Tried:
    right, wrong = lengths_of(one)
    return Tried(*group_of_row(one), PILOT, passed, round(passed * right), round((PILOT - passed) * wrong))


def class_of(rate: F64) -> I64:
    """0 hopeless, 1 usable, 2 easy."""
    return (rate >= LOW).astype(int) + (rate > HIGH)


def group_of_row(one: Known) -> Group:
    """Category and difficulty, by which priors are fitted."""
    return ("code" if one.kind == "code" else "math"), f"level {one.level}"


def lengths_of(one: Known) -> tuple[float, float]:
    """The mean tokens of a right and of a wrong sample; where there was none, those of all."""
    every = (one.tokens_right + one.tokens_wrong) / SAMPLES
    right = one.tokens_right / one.passed if one.passed else every
    wrong = one.tokens_wrong / (SAMPLES - one.passed) if one.passed < SAMPLES else every
    return right, wrong
