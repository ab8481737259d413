"""Which living problems a teacher is asked: those that need a trace, of some sources, routed to it by their groups."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Annotated, Literal, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tracemill.engine.categories import named
from tracemill.engine.fate import Fate
from tracemill.engine.ids import normalised
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs

Labels = Literal["source", "annotator"]
VerifiedBy = Annotated[tuple[Literal["verdict", "source"], ...], Field(min_length=1)]


class Group(BaseModel):
    """The problems of these categories and difficulties; a list that is left out: any.

    A category is known by any of its spellings, a difficulty in any letter case; null stands for problems without one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    category: tuple[str | None, ...] = ()  # one of these, in any spelling
    difficulty: tuple[str | None, ...] = ()  # one of these, in any letter case

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not (self.category or self.difficulty):
            raise ValueError("names neither a category nor a difficulty: name one, or remove the key")
        return self

    def holds(self, category: str | None, difficulty: str | None) -> bool:
        """Whether a problem like that belongs to the group."""
        return _among(category, self.category, named) and _among(difficulty, self.difficulty, normalised)


class Scope(BaseModel):
    """Which problems a teacher is asked, as the `distill` step has it: see there.

    `problems`: all, or those without a verified response, which is what `verified_by` says. `sources`: whose. `where`
    and `unless`: which groups, by whose `labels`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    problems: Literal["unverified", "all"] = "unverified"
    verified_by: VerifiedBy = ("verdict",)
    sources: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)] = ()
    where: Annotated[Group | None, Field(exclude_if=lambda group: group is None)] = None
    unless: Annotated[Group | None, Field(exclude_if=lambda group: group is None)] = None
    labels: Annotated[Labels, Field(exclude_if=lambda labels: labels == "source")] = "source"

    def needs(self) -> tuple[str, ...]:
        """The tables that decide who is asked, besides those of the problems and their fates."""
        unverified = ("generations", "verdicts") if self.problems == "unverified" else ()
        return (*unverified, *(("annotations",) if self.routes and self.labels == "annotator" else ()))

    @property
    def routes(self) -> bool:
        """Whether problems are routed by their groups."""
        return not (self.where is None and self.unless is None)

    def spared(self, inputs: Inputs, verified: Set[str], shard: int | None = None) -> dict[str, Fate]:
        """What becomes of the problems that are not asked for; `verified` are those with a verified response."""
        known = dict.fromkeys(verified if self.problems == "unverified" else (), Fate("kept", "verified"))
        if not (self.sources or self.routes):
            return known
        rows = pl.DataFrame(inputs.table("problems", ["id", "source", "category", "difficulty"], shard))
        own = pl.col("source").is_in(self.sources).fill_null(False)
        spared = dict.fromkeys(rows.filter(~own)["id"] if self.sources else (), Fate("kept", "not_asked"))
        if self.routes:
            spared |= self._routed_away(rows if self.labels == "source" else _annotated(rows, inputs, shard))
        return spared | known

    def _routed_away(self, rows: pl.DataFrame) -> dict[str, Fate]:
        kinds = rows.select("category", "difficulty").unique().rows()
        away = {kind: Fate("kept", "routed_away", detail=_told(*kind)) for kind in kinds if not self._takes(*kind)}
        placed = rows.select("id", "category", "difficulty").iter_rows()
        return {one: away[group] for one, *of in placed if (group := (of[0], of[1])) in away}

    def _takes(self, category: str | None, difficulty: str | None) -> bool:
        wanted = self.where is None or self.where.holds(category, difficulty)
        return wanted and not (self.unless is not None and self.unless.holds(category, difficulty))


def _annotated(rows: pl.DataFrame, inputs: Inputs, shard: int | None) -> pl.DataFrame:
    """The problems with what a labeller says of them; null where none could."""
    labels = pl.DataFrame(inputs.table("annotations", ["problem_id", "category", "difficulty"], shard))
    last = labels.unique("problem_id", keep="last").rename({"problem_id": "id"})
    return rows.select("id").join(last, on="id", how="left")


def _among(value: str | None, names: tuple[str | None, ...], spelled: Callable[[str], str]) -> bool:
    """Whether the value is one of the names, or there are none."""
    if not names or value is None:
        return not names or None in names
    return spelled(value) in {spelled(name) for name in names if name is not None}


def _told(category: str | None, difficulty: str | None) -> str:
    return f"category {category or 'none'}, difficulty {difficulty or 'none'}"


def existing(inputs: Inputs, verified_by: VerifiedBy, shard: int | None = None) -> tuple[set[str], set[str]]:
    """The problems of a shard with a living response, and those with a verified one."""
    rows = inputs.table("generations", ["id", "problem_id", "source_verdict"], shard)
    rows = rows.filter(pc.is_in(rows["id"], value_set=inputs.alive("generation", shard)))
    found = standing(inputs.table("verdicts", COLUMNS, shard))
    passed, failed = (found.filter(status=status)["generation_id"].to_arrow() for status in ("pass", "fail"))
    by_verdict = pc.is_in(rows["id"], value_set=passed.cast(pa.string()))
    not_failed = pc.invert(pc.is_in(rows["id"], value_set=failed.cast(pa.string())))
    by_source = pc.and_(pc.fill_null(rows["source_verdict"], False), not_failed)
    masks = {"verdict": by_verdict, "source": by_source}
    verified = set[str]()
    for rule in verified_by:
        verified |= set(rows.filter(masks[rule])["problem_id"].to_pylist())
    return set(rows["problem_id"].to_pylist()), verified
