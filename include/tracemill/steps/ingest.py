"""Turns the rows of one slice of a source into problems and existing responses, and accounts for every row.

kept         the first row of this problem in the shard
rejected     `same_problem`: another row with the same problem; its provenance and responses are kept, and so is a
             reference answer or a test that the first row lacks
quarantined  the row is not what the source documents; its text and the reason are kept
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from tracemill.errors import RecipeError, SourceError
from tracemill.records import Bucket, generation_id, problem_id
from tracemill.resources import Resources
from tracemill.shards import Store, StoredFile
from tracemill.sources import AnySource
from tracemill.sources.base import RawRow, Response, RowError, Slice, Source, SourceRow
from tracemill.sources.jsonlines import SHOWN
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.steps.plan import PLAN, slices_of
from tracemill.tables import columns_of, empty
from tracemill.text.think import Split, joined, split

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
    """Shard i is row i of the plan. Its fingerprint knows only that slice and the settings of its source."""

    kind: Literal["ingest"]
    sources: tuple[AnySource, ...]

    version: ClassVar[int] = 2
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
            "slice": {"file": part.named, **part.model_dump(mode="json", include={"start", "stop", "sha256"})},
        }

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """None: the plan's other rows do not matter, and `settings` holds this shard's own."""
        return []

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Read the slice. Raises SourceError when it no longer has the rows that were planned."""
        part = self._slice(inputs)
        source = self._source(part)
        shard = _Shard(source, part)
        for raw in source.read(resources, part):
            shard.take(raw)
        return shard.output()

    def _slice(self, inputs: Inputs) -> Slice:
        plan = pa.concat_tables(
            [empty(PLAN), *(_plan(inputs.store, m.tables[PLAN]) for m in inputs.whole if PLAN in m.tables)]
        )
        own = slices_of(plan.filter(pc.equal(plan["index"], inputs.index)))
        if not own:
            raise RecipeError(
                f"there is no shard {inputs.index}: the plan has {plan.num_rows} (0 to {plan.num_rows - 1})"
            )
        return own[0]

    def _source(self, part: Slice) -> Source:
        for source in self.sources:
            if source.name == part.source:
                return source
        raise RecipeError(f"the plan names source {part.source!r}, which the recipe lacks: run `plan` again")


@lru_cache(maxsize=1)
def _plan(store: Store, stored: StoredFile) -> pa.Table:
    """The plan, read once for all shards that a process works on."""
    return store.get_table(stored)


@dataclass
class _Shard:
    """The tables of one shard while its rows come in."""

    source: Source
    part: Slice
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
        if not given.prompt.strip():
            raise RowError("blank_prompt", "the problem has no text")
        origin, problem = self._origin(row), problem_id(given.prompt, given.messages)
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
        return f"{self.source.name}/{PurePath(self.part.named).name}:{row}"

    def output(self) -> Output:
        """The tables. Raises SourceError unless every planned row was accounted for."""
        promised, seen = self.part.stop - self.part.start, len(self.ledger)
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


def problem_row(problem: str, given: SourceRow, source: Source, licence: str | None) -> dict[str, Any]:
    """One row of table `problems`; `test_case` and `constraints` become JSON with sorted keys."""
    return {
        "id": problem,
        "source": source.name,
        "native_id": given.native_id or None,
        "category": given.category or source.category,
        "prompt": given.prompt,
        "messages": list(given.messages) if given.messages else None,
        "reference_answer": given.reference_answer,
        "test_case": _json(given.test_case),
        "constraints": _json(given.constraints),
        "difficulty": given.difficulty,
        "license": licence,
        "source_rank": source.rank,
        "difficulty_score": given.difficulty_score,
        "reference_solution": given.reference_solution,
        "comparison": _json(given.comparison),
        "released_as": source.release_name,
    }


def generation_rows(problem: str, source: Source, responses: Iterable[Response]) -> list[dict[str, Any]]:
    """Rows of table `generations` for the existing responses to one problem, split into chain and answer."""
    return [_generation_row(problem, source, response) for response in responses]


def _generation_row(problem: str, source: Source, response: Response) -> dict[str, Any]:
    parts: Split = split(response.text) if response.thinking is None else joined(response.thinking, response.text)
    text = response.text if response.thinking is None else f"{response.thinking}\0{response.text}"
    return {
        "id": generation_id(problem, response.teacher, response.sample_index, text),
        "problem_id": problem,
        "source": source.name,
        "teacher": response.teacher,
        "sample_index": response.sample_index,
        "style": parts.style,
        "raw": parts.raw,
        "think_content": parts.think,
        "answer_content": parts.answer,
        "finish_reason": response.finish_reason,
        "source_verdict": response.verdict,
        "response_source": response.source or source.release_name,
    }


def _json(value: dict[str, Any] | None) -> str | None:
    """JSON with sorted keys. Raises RowError for what JSON cannot hold (dates, bytes)."""
    if value is None:
        return None
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RowError("bad_value", f"not JSON: {error}") from error
