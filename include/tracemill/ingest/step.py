"""Turns the rows of one slice of a source into problems and existing responses, and accounts for every row.

kept         the first row of this problem in the shard
rejected     `same_problem`: another row with the same problem; its provenance and responses are kept, and so is a
             reference answer or a test that the first row lacks
quarantined  the row is not what the source documents; its text and the reason are kept
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from tracemill.engine.ids import Bucket, problem_id
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.store import Store, StoredFile
from tracemill.engine.tables import columns_of
from tracemill.errors import RecipeError, SourceError
from tracemill.ingest.chosen import TABLE as CHOSEN
from tracemill.ingest.formats.jsonlines import SHOWN
from tracemill.ingest.ingested import generation_rows, problem_row
from tracemill.ingest.plan import PLAN, slices_of
from tracemill.ingest.source import RawRow, RowError, Slice, Source, SourceRow, asks_nothing
from tracemill.ingest.sources import AnySource

TABLES = ("problems", "generations", "provenance", "quarantine")
_FILLED_IN = (
    "reference_answer",
    "test_case",
    "constraints",
    "category",
    "difficulty",
    "difficulty_score",
    "reference_solution",
    "comparison",
)


class Ingest(Step):
    """Shard i is row i of the plan. Its fingerprint knows only that slice and the settings of its source.

    Of a `trial` it is those of its slice's rows that the plan has chosen; they alone enter.
    """

    kind: Literal["ingest"]
    sources: tuple[AnySource, ...]  # the recipe's
    trial: Annotated[int | None, Field(ge=1, exclude_if=lambda rows: rows is None)] = None

    version: ClassVar[int] = 3
    unit: ClassVar[Literal["row"]] = "row"
    reads: ClassVar[tuple[str, ...]] = (PLAN,)
    writes: ClassVar[tuple[str, ...]] = TABLES

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """The rows (by their content and the name they were first planned under), their source's settings and version.

        Where the file lies and what it is called now decide nothing.
        """
        part = self._slice(inputs)
        source = self._source(part)
        return {
            "source": source.model_dump(mode="json", exclude={"limit", "path"}),
            "source_version": source.version,
            **({} if self.trial is None else {"rows": sorted(self._chosen(inputs))}),
            "slice": {
                "file": part.named,
                "rows": self._named(inputs, part),
                **part.model_dump(mode="json", include={"start", "stop", "sha256"}),
            },
        }

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """None: the plan's other rows do not matter, and `settings` holds this shard's own."""
        return []

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Read the slice. Raises SourceError when it no longer has the rows that were planned."""
        part = self._slice(inputs)
        source = self._source(part)
        shard = _Shard(source, part, self._named(inputs, part))
        chosen = None if self.trial is None else self._chosen(inputs)
        for raw in source.read(resources, part):
            if chosen is None or raw.row in chosen:
                shard.take(raw)
        return shard.output(part.stop - part.start if chosen is None else len(chosen))

    @staticmethod
    def _chosen(inputs: Inputs) -> set[int]:
        """The rows of this shard's slice that a trial takes."""
        table = inputs.table(CHOSEN)
        return set(table.filter(pc.equal(table["index"], inputs.index))["row"].to_pylist())

    def _slice(self, inputs: Inputs) -> Slice:
        slices = _plan(inputs.store, _stored_plan(inputs))
        if inputs.index >= len(slices):
            raise RecipeError(f"there is no shard {inputs.index}: the plan has {len(slices)} (0 to {len(slices) - 1})")
        return slices[inputs.index]

    def _named(self, inputs: Inputs, part: Slice) -> str:
        """What the rows of the slice's file are called by."""
        return _names(inputs.store, _stored_plan(inputs))[part.source, part.named]

    def _source(self, part: Slice) -> Source:
        for source in self.sources:
            if source.name == part.source:
                return source
        raise RecipeError(f"the plan names source {part.source!r}, which the recipe lacks: run `plan` again")


def _stored_plan(inputs: Inputs) -> StoredFile:
    """Raises RecipeError where nothing was planned."""
    for manifest in inputs.whole:
        if PLAN in manifest.tables:
            return manifest.tables[PLAN]
    raise RecipeError(f"step {PLAN!r} has not run on this store yet: run it first")


@lru_cache(maxsize=1)
def _plan(store: Store, stored: StoredFile) -> list[Slice]:
    """The plan, read once for all shards that a process works on."""
    return slices_of(store.get_table(stored))


@lru_cache(maxsize=1)
def _names(store: Store, stored: StoredFile) -> dict[tuple[str, str], str]:
    return file_names(_plan(store, stored))


def file_names(slices: Iterable[Slice]) -> dict[tuple[str, str], str]:
    """By source and path (as first planned) the file's part of its rows' names: the last part of the path.

    A file whose name an earlier one of the plan has gets as much more of its path as tells them apart; files that come
    later change no name.
    """
    names: dict[tuple[str, str], str] = {}
    taken: set[tuple[str, str]] = set()
    for part in slices:
        if (part.source, part.named) not in names:
            pieces = part.named.split("/")
            longer = ("/".join(pieces[-count:]) for count in range(1, len(pieces) + 1))
            still = ("./" * count + part.named for count in itertools.count(1))
            name = next(one for one in itertools.chain(longer, still) if (part.source, one) not in taken)
            names[part.source, part.named] = name
            taken.add((part.source, name))
    return names


@dataclass
class _Shard:
    """The tables of one shard while its rows come in."""

    source: Source
    part: Slice
    file: str
    problems: dict[str, dict[str, Any]] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)  # by problem the origin of its first row
    generations: dict[str, dict[str, Any]] = field(default_factory=dict)
    provenance: list[dict[str, Any]] = field(default_factory=list)
    quarantine: list[dict[str, Any]] = field(default_factory=list)
    ledger: dict[str, tuple[Bucket, str | None, str | None]] = field(default_factory=dict)

    def take(self, raw: RawRow) -> None:
        """Put one row into its bucket."""
        try:
            if raw.error is not None:
                raise raw.error
            self._understood(raw.row, self.source.understand(raw.value))
        except RowError as error:
            self._quarantined(raw, error)

    def _understood(self, row: int, given: SourceRow) -> None:
        if asks_nothing(given.prompt):
            raise RowError("blank_prompt", "the problem has no text")
        origin = self._origin(row)
        problem = problem_id(given.prompt, given.messages)
        licence = given.license or self.source.license
        self.provenance.append(
            {
                "origin": origin,
                "problem_id": problem,
                "source": self.source.name,
                "native_id": given.native_id or None,
                "file": self.part.named,
                "row": row,
                "license": licence,
                "revision": self.part.revision,
                "reference_answer": given.reference_answer,
            }
        )
        fresh = problem_row(problem, given, self.source, licence)
        known = self.problems.setdefault(problem, fresh)
        first = self.first.setdefault(problem, origin)
        responses = generation_rows(problem, self.source, given.responses)
        new = {row["id"]: row for row in responses if row["id"] not in self.generations}
        self.generations.update(new)
        if known is fresh:
            self.ledger[origin] = ("kept", None, None)
            return
        filled = [name for name in _FILLED_IN if known[name] is None and fresh[name] is not None]
        known.update({name: fresh[name] for name in filled})
        detail = {"problem": problem, "first": first, "responses": len(new), "filled_in": filled}
        self.ledger[origin] = ("rejected", "same_problem", json.dumps(detail))

    def _quarantined(self, raw: RawRow, error: RowError) -> None:
        origin = self._origin(raw.row)
        self.ledger[origin] = ("quarantined", error.reason, str(error))
        self.quarantine.append(
            {
                "origin": origin,
                "file": self.part.named,
                "row": raw.row,
                "reason": error.reason,
                "detail": str(error),
                "text": raw.text.encode("utf-8", "replace")[:SHOWN].decode("utf-8", "ignore"),
            }
        )

    def _origin(self, row: int) -> str:
        """What a row is called for ever: its source, its file as it was first planned, and its number there."""
        return f"{self.source.name}/{self.file}:{row}"

    def output(self, promised: int) -> Output:
        """The tables. Raises SourceError unless every planned row was accounted for."""
        seen = len(self.ledger)
        if seen != promised:
            raise SourceError(
                f"source {self.source.name!r}: {self.part.file} rows {self.part.start} to {self.part.stop} were "
                f"planned, {seen} of {promised} were read; run `plan` again"
            )
        buckets = [bucket for bucket, _, _ in self.ledger.values()]
        reasons = [reason for _, reason, _ in self.ledger.values()]
        details = [detail for _, _, detail in self.ledger.values()]
        rows: dict[str, Iterable[dict[str, Any]]] = {
            "problems": self.problems.values(),
            "generations": self.generations.values(),
            "provenance": self.provenance,
            "quarantine": self.quarantine,
        }
        return Output(
            ledger=ledger_rows("row", list(self.ledger), buckets, reasons, detail=details),
            tables={name: pa.Table.from_pylist(list(rows[name]), schema=columns_of(name)) for name in TABLES},
        )
