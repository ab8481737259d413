"""The demo's source: problems and responses that tracemill makes itself, and knows every fault of.

No network and no files; `planted` says what was planted where, so that a run can be checked row by row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

from tracemill.engine.ids import generation_id, problem_id
from tracemill.engine.resources import Resources
from tracemill.ingest.columns import boolean, items, mapping, optional_text, own_id, text
from tracemill.ingest.demo.faults import CATCHES, Catch
from tracemill.ingest.demo.rows import DemoRow, Part, demo_file, demo_rows
from tracemill.ingest.formats.files import made_slices
from tracemill.ingest.formats.jsonlines import cut_lines, parsed, read_lines
from tracemill.ingest.source import RawRow, Response, Slice, Source, SourceRow

TEACHER = "demo"
LONGEST = 1 << 20


@dataclass(frozen=True)
class Planted:
    """One planted fault: its kind, the ledger id it ends under, and where it must be caught.

    For unit `one_of`, `id` is the problem's id and `responses` the generations of which one must be caught.
    """

    kind: str
    id: str
    catch: Catch
    responses: tuple[str, ...] = ()


class DemoSource(Source):
    """One part of the demo: `maths`, `chinese`, `code`, or `mirror` (duplicates of `maths`)."""

    kind: Literal["demo"]
    part: Part  # which part
    seed: int = 7  # another number makes other rows

    @property
    def file(self) -> str:
        """The name of the part's file in plans and provenance; there is no such file on disk."""
        return f"demo-{self.seed}/{self.part}.jsonl"

    def state(self, resources: Resources) -> str:
        """The digest of the generated file."""
        return hashlib.sha256(demo_file(self.part, self.seed)).hexdigest()

    def plan(self, resources: Resources, rows_per_shard: int, earlier: Sequence[Slice] = ()) -> list[Slice]:
        """Cut the generated file; see Source.plan."""
        stops = sorted(part.stop for part in earlier if part.file == self.file)
        cuts, revision = cut_lines(BytesIO(demo_file(self.part, self.seed)), rows_per_shard, stops, self.limit)
        return made_slices(self.name, self.file, cuts, revision, {part.start: part for part in earlier})

    def read(self, resources: Resources, part: Slice) -> Iterator[RawRow]:
        """The rows of one slice."""
        for row, line, size in read_lines(BytesIO(demo_file(self.part, self.seed)), part, LONGEST):
            yield parsed(row, line, size, LONGEST)

    def understand(self, value: dict[str, Any]) -> SourceRow:
        """Map one generated row."""
        return SourceRow(
            native_id=own_id(value, "id"),
            prompt=text(value, "problem"),
            reference_answer=optional_text(value, "answer"),
            test_case=mapping(value, "tests"),
            difficulty=optional_text(value, "level"),
            responses=tuple(_response(given, i) for i, given in enumerate(items(value, "responses"))),
        )

    def planted(self) -> list[Planted]:
        """Every fault in this part, in file order."""
        rows = enumerate(demo_rows(self.part, self.seed))
        return [self._planted(index, row) for index, row in rows if row.kind != "right"]

    def _planted(self, index: int, row: DemoRow) -> Planted:
        catch = CATCHES[row.kind]
        if catch.unit == "row":
            return Planted(row.kind, f"{self.name}/{self.part}.jsonl:{index}", catch)
        problem = problem_id(row.value["problem"])
        ids = tuple(generation_id(problem, TEACHER, i, given["text"]) for i, given in enumerate(row.value["responses"]))
        own = problem if row.faulty is None else ids[row.faulty]
        return Planted(row.kind, own, catch, ids)


def _response(given: dict[str, Any], index: int) -> Response:
    return Response(
        teacher=TEACHER,
        text=text(given, "text"),
        sample_index=index,
        finish_reason=optional_text(given, "finish_reason"),
        verdict=boolean(given.get("correct"), "correct"),
    )
