"""Tries every template that trl ships on rows of a release, each in the layout that suits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tracemill.release.proof.drawn import drawn
from tracemill.release.proof.proving import Plan, prove
from tracemill.release.proof.recommended import recommended
from tracemill.release.proof.templates import shipped, template
from tracemill.release.trainers.layouts import LayoutName
from tracemill.release.trainers.opened import Opened


@dataclass(frozen=True)
class Surveyed:
    """How many of the rows drawn one template keeps whole. `layout`: None where it keeps none so, by `reason`."""

    template: str
    layout: LayoutName | None
    system: str
    rows: int = 0
    whole: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def all_whole(self) -> bool:
        """Whether every row drawn is whole."""
        return self.layout is not None and self.whole == self.rows

    @property
    def told(self) -> str:
        """What is not as it should be, in words; empty where all is."""
        return self.reason or ", ".join(f"{fault} {count:,}" for fault, count in self.faults.items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def survey(release: Opened, tokenizer: str | None, system: str | None, most: int | None) -> Iterator[Surveyed]:
    """One line a template, in order of name. Raises RecipeError for a length without tokenizer (see `checked`)."""
    rows = list(drawn(release))
    for name in shipped():
        found = template(name, tokenizer)
        advised = recommended(found)
        kept = "kept" if advised.system else "not kept"
        if advised.layout is None:
            yield Surveyed(name, None, kept, reason=advised.reason)
            continue
        totals = prove(rows, Plan(found, advised.layout, system, most), 1, lambda _: None, lambda _: None)
        yield Surveyed(name, advised.layout, kept, totals.rows, totals.whole, dict(totals.faults.most_common()))
