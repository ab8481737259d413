"""How far verdicts and labels can be believed: counted against what sources published, for the card.

Verdicts are counted as `tracemill agreement` counts them (`engine/published.py`), over all responses whose source
published one, released or not. Labels are compared where a source has its own: a category, a level, a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tracemill.engine.proportions import wilson
from tracemill.engine.published import KNOWN, OURS, against_published
from tracemill.engine.step import Inputs
from tracemill.release.markdown import table
from tracemill.release.ordering import class_pairs, rank_correlation, rank_pairs

_VERDICTS = (
    *("source", "judged by", "responses with a published verdict", "decided", "agree", "95 % interval"),
    *("passed, published as wrong", "failed, published as right"),
)
_LABELS = ("label", "source", "said by", "problems", "agree", "95 % interval", "rank correlation")
_Label = tuple[str, str, str]


@dataclass
class Calibration:
    """Counts of (source, verifier, published verdict, status), and of pairs of labels by label, source and labeller."""

    verdicts: Counter[tuple[str, str, bool, str]] = field(default_factory=Counter)
    classes: dict[_Label, Counter[tuple[str, str]]] = field(default_factory=dict)
    ranks: dict[_Label, Counter[tuple[float, float]]] = field(default_factory=dict)

    def add(self, inputs: Inputs, shard: int) -> None:
        """Count one shard."""
        generations = pl.DataFrame(inputs.table("generations", KNOWN, shard))
        found = against_published(generations, pl.DataFrame(inputs.table("verdicts", OURS, shard)))
        key = ("source", "verifier", "known", "status")
        for *pair, count in found.drop_nulls("verifier").group_by(key).len().iter_rows():
            self.verdicts[pair[0], pair[1], pair[2], pair[3]] += count
        for label, source, by, theirs, ours, count in class_pairs(inputs, shard).iter_rows():
            self.classes.setdefault((label, source, by), Counter())[theirs, ours] += count
        for label, source, by, theirs, ours, count in rank_pairs(inputs, shard).iter_rows():
            self.ranks.setdefault((label, source, by), Counter())[theirs, ours] += count

    def section(self) -> str:
        """The section of the card; nothing where no source published anything to compare with."""
        said = ""
        if self.verdicts:
            said += f"### Verdicts against those of the sources\n\n{table(_VERDICTS, self._verdict_rows())}\n"
        if self.classes or self.ranks:
            said += f"### Labels against those of the sources\n\n{table(_LABELS, self._label_rows())}\n"
        return said

    def _verdict_rows(self) -> Iterator[tuple[Any, ...]]:
        for source, verifier in sorted({(source, verifier) for source, verifier, _, _ in self.verdicts}):
            told = {
                (known, status): self.verdicts[source, verifier, known, status]
                for known in (True, False)
                for status in ("pass", "fail", "unverifiable")
            }
            decided = sum(count for (_, status), count in told.items() if status != "unverifiable")
            agree = told[True, "pass"] + told[False, "fail"]
            wrongly = (told[False, "pass"], told[True, "fail"])
            yield source, verifier, sum(told.values()), decided, *_share(agree, decided), *wrongly

    def _label_rows(self) -> Iterator[tuple[Any, ...]]:
        for key in sorted(self.classes.keys() | self.ranks.keys()):
            classed = self.classes.get(key, Counter())
            ranked = self.ranks.get(key, Counter())
            agree = sum(count for (theirs, ours), count in classed.items() if theirs == ours)
            found = rank_correlation(ranked) if ranked else None
            problems = max(classed.total(), ranked.total())
            yield *key, problems, *_share(agree, classed.total()), "" if found is None else f"{found:.2f}"


def _share(hits: int, of: int) -> tuple[str, str]:
    """A proportion and its interval in words; blank for none."""
    if of == 0:
        return "", ""
    low, high = wilson(hits, of)
    return f"{hits:,} ({100 * hits / of:.1f} %)", f"{100 * low:.1f} to {100 * high:.1f} %"
