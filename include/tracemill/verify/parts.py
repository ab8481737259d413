"""Questions and verdicts as parts on the store, by which a task that asks models and one that verifies work together.

    beside/parts/WHO/NEAR/problems.parquet        the problems of one shard
    beside/parts/WHO/NEAR/asked/PART.parquet      questions: their ids, problems and answers
    beside/parts/WHO/NEAR/verdicts/PART.parquet   the verdicts on just these
    beside/kept/WHO/NEAR.parquet                  all verdicts of a shard, once it needs no more

WHO is a digest of the verifiers with their versions and what they depend on, NEAR one of the shard and its problems. An
object is written once and never changed: of two who give the verdicts of a part, one is first and the other one's are
dropped, so nobody sees two. Whoever asks is named in none of them; a task that begins again goes on with what is there.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tracemill.engine.keys import keys_below, remove
from tracemill.engine.objects import ObjectStore, store_io
from tracemill.engine.resources import Resources
from tracemill.engine.store import canonical_digest
from tracemill.engine.tables import columns_of
from tracemill.verify import AnyVerifier
from tracemill.verify.bench import Verdicts
from tracemill.verify.verifier import Question, Verdict

PARTS = "beside/parts"
KEPT = "beside/kept"
POSED = ("prompt", "reference_answer", "test_case", "constraints", "comparison")  # what a problem says to a verifier
ASKED = pa.schema([("id", pa.string()), ("problem_id", pa.string()), ("answer", pa.large_string())])
_VERDICT = columns_of("verdicts")


def who(verifiers: Sequence[AnyVerifier], resources: Resources) -> str:
    """The digest of these verifiers: two tasks that agree in it give the same verdicts."""
    said = [{**one.settings(), "version": one.version, "material": dict(one.material(resources))} for one in verifiers]
    return canonical_digest({"verifiers": said})[:20]


def lease_name(bench: str) -> str:
    """What a verify task is called in leases, and by those who want one."""
    return f"beside-{bench}"


class Part(NamedTuple):
    """A part of questions, by the digests of its verifiers and shard, and its name."""

    bench: str
    near: str
    name: str

    @property
    def asked(self) -> str:
        """The key of its questions."""
        return f"{PARTS}/{self.bench}/{self.near}/asked/{self.name}.parquet"

    @property
    def verdicts(self) -> str:
        """The key of its verdicts."""
        return f"{PARTS}/{self.bench}/{self.near}/verdicts/{self.name}.parquet"


@dataclass(frozen=True)
class Parts:
    """What lies on a store for one set of verifiers (`bench`), of all shards or of one."""

    asked: frozenset[Part]
    judged: frozenset[Part]

    @classmethod
    def below(cls, store: ObjectStore, bench: str, near: str = "") -> Parts:
        """Look. Raises StoreError when the store cannot be read."""
        found: dict[str, set[Part]] = {"asked": set(), "verdicts": set()}
        for key in keys_below(store, f"{PARTS}/{bench}/{near}".rstrip("/")):
            shard, *rest = key.removeprefix(f"{PARTS}/{bench}/").split("/")
            if len(rest) == 2:
                found[rest[0]].add(Part(bench, shard, rest[1].removesuffix(".parquet")))
        return cls(frozenset(found["asked"]), frozenset(found["verdicts"]))

    @property
    def open(self) -> list[Part]:
        """The parts without verdicts, in an order that says nothing."""
        return sorted(self.asked - self.judged)


def problems_key(bench: str, near: str) -> str:
    """Where the problems of a shard lie."""
    return f"{PARTS}/{bench}/{near}/problems.parquet"


def kept_key(bench: str, near: str) -> str:
    """Where the verdicts of a shard lie that needs no more."""
    return f"{KEPT}/{bench}/{near}.parquet"


def posed(problem: Mapping[str, str | None]) -> Question:
    """The question that a problem's responses are held against, from a row with `id` and POSED.

    The source's own solution is left out: whether it passes the tests changes no sample that is asked for.
    """
    return Question(
        generation_id="",
        problem_id=problem["id"] or "",
        prompt=problem["prompt"] or "",
        reference_answer=problem["reference_answer"],
        test_case=problem["test_case"],
        constraints=problem["constraints"],
        answer="",
        comparison=problem["comparison"],
    )


def asked_rows(questions: Iterable[Question]) -> pa.Table:
    """Questions as they are stored: without what their problems say."""
    rows = [{"id": one.generation_id, "problem_id": one.problem_id, "answer": one.answer} for one in questions]
    return pa.Table.from_pylist(rows, ASKED)


def verdict_rows(verdicts: Verdicts) -> pa.Table:
    """Verdicts as they are stored, in the order of their questions; one without any has a row of its id alone."""
    none: list[Verdict | None] = [None]
    rows = [(name, row) for name in sorted(verdicts) for row in verdicts[name] or none]
    columns = [pa.array([getattr(row, field.name, None) for _, row in rows], field.type) for field in _VERDICT]
    names = pa.array([name for name, _ in rows], pa.string())
    return pa.table(columns, schema=_VERDICT).set_column(0, "generation_id", names)


def verdicts_of(table: pa.Table) -> Verdicts:
    """The same back from the store."""
    found: defaultdict[str, list[Verdict]] = defaultdict(list)
    for row in table.to_pylist():
        own = found[row["generation_id"]]
        if row["verifier"] is not None:
            overrules = None if row["overrules"] is None else tuple(row["overrules"])
            own.append(Verdict(**{**row, "overrules": overrules}))
    return dict(found)


def encoded(table: pa.Table) -> bytes:
    """A table as the bytes of an object."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def stored(store: ObjectStore, key: str) -> pa.Table:
    """A table back. Raises FileNotFoundError where there is none, StoreError where it cannot be read."""
    data = store.read_bytes(key)
    with store_io(f"{store.root}/{key} is damaged"):
        return pq.read_table(pa.BufferReader(data))


def clear(store: ObjectStore, parts: Parts) -> None:
    """Remove a shard's parts: questions first, so that nobody judges what is being removed."""
    for part in sorted(parts.asked):
        remove(store, part.asked)
    for part in sorted(parts.asked | parts.judged):
        remove(store, part.verdicts)
