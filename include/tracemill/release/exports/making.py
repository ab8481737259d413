"""Makes the sets of an export shard by shard: who is in which, the rows, the census, and every response's ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.objects import store_io
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs
from tracemill.release.exports.bias import Census, attributes_of
from tracemill.release.exports.card import set_card
from tracemill.release.exports.facts import Facts, candidates, facts_of, in_several_shards, members
from tracemill.release.exports.files import SetFiles
from tracemill.release.exports.joined import known_of, sampling_of, verifiers_of
from tracemill.release.exports.layouts import Known, file_of, row_of, schema_of
from tracemill.release.exports.sets import AnySet, Control, Distilled40M, Pairs, Rlvr, Sft
from tracemill.release.licences import normalised_licence
from tracemill.release.revocations import REASON

EXPORTED = "exported"
_SELECTION = ("grade", "stage_one", "stage_two")  # kinds of steps whose settings stand on the cards
Members = dict[str, pl.DataFrame]


class Made:
    """The sets below `folder`. `write` each shard in order, then `files` has them all, with their cards."""

    def __init__(self, sets: Mapping[str, AnySet], folder: Path, inputs: Inputs, revoked: pa.Array) -> None:
        self._sets = sets
        self._folder = folder
        self._inputs = inputs
        self._revoked = revoked
        self._verifiers = verifiers_of(inputs)
        self._sampling = sampling_of(inputs)
        self._census = Census()
        self._licences: dict[str, Counter[str]] = defaultdict(Counter)
        self._lucky: Counter[str] = Counter()
        self._again = in_several_shards(inputs)
        self._written: set[tuple[str, str]] = set()  # of these problems: set and row
        self._writers = {name: SetFiles(folder / name, schema_of(one)) for name, one in sets.items()}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for writer in self._writers.values():
            self._open.enter_context(writer)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def write(self, shard: int) -> pa.Table:
        """Add a shard's rows to all sets; returns its part of the ledger."""
        facts = facts_of(self._inputs, shard, self._revoked)
        members = self._members(facts, self._cutoffs)
        chosen = {name: self._fresh(name, rows) for name, rows in members.items()}
        columns = {"problem_id": pl.String, "generation_id": pl.String}
        wanted = pl.concat([pl.DataFrame(schema=columns), *(_named(rows) for rows in chosen.values())])
        known = known_of(self._inputs, shard, facts, wanted, self._verifiers, self._sampling)
        for name, rows in chosen.items():
            self._write_set(name, rows.to_dicts(), known)
            lucky = rows.join(facts.responses.filter(pl.col("lucky")), on="generation_id", how="semi")
            self._lucky[name] += lucky.height
        self._census.add(attributes_of(self._inputs, shard, facts), facts, chosen)
        return self._ledger(shard, facts, members)

    def files(self) -> dict[str, Path]:
        """Every file by its name in the export, SET/FILE; the writers must be closed."""
        found: dict[str, Path] = {}
        for name, writer in self._writers.items():
            card = self._folder / name / "README.md"
            with store_io("cannot write the export's scratch files"):
                card.write_text(self._card(name, writer), encoding="utf-8")
            found |= {f"{name}/{file}": path for file, path in {**writer.files, card.name: card}.items()}
        return found

    @cached_property
    def _cutoffs(self) -> dict[str, int | None]:
        """Of each control the highest draw that is in it: it has as many problems as the set that it is like."""
        cutoffs: dict[str, int | None] = {}
        for name, one in self._sets.items():
            if isinstance(one, Control):
                cutoffs[name] = self._cutoff(name, one, cutoffs)
        return cutoffs

    def _cutoff(self, name: str, one: Control, above: Mapping[str, int | None]) -> int | None:
        size = 0
        several: set[str] = set()
        drawn = [pl.Series("drawn", dtype=pl.UInt64)]
        for shard in self._inputs.shards():
            facts = facts_of(self._inputs, shard, self._revoked)
            sets = self._members(facts, above, until=name)
            problems = sets[one.like]["problem_id"].unique()
            again = problems.is_in(self._again.implode())
            several.update(problems.filter(again))
            size += problems.filter(~again).len()
            drawn.append(_apart(candidates(one, facts), one, sets)["drawn"])
        size += len(several)
        smallest = pl.concat(drawn).unique().bottom_k(size) if size else drawn[0]
        return None if smallest.is_empty() else int(smallest.max())  # type: ignore[arg-type]

    def _members(self, facts: Facts, cutoffs: Mapping[str, int | None], until: str | None = None) -> Members:
        """The members of each set in one shard, in order; no problem of a set that it is apart from."""
        found: Members = {}
        for name, one in self._sets.items():
            if name == until:
                break
            found[name] = _apart(members(one, facts, self._verifiers, cutoffs.get(name)), one, found)
        return found

    def _fresh(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows without those that an earlier shard gave: a set of problems has each once."""
        if self._again.is_empty():
            return rows
        key = "problem_id" if isinstance(self._sets[name], Rlvr | Pairs) else "generation_id"
        several = rows.filter(pl.col("problem_id").is_in(self._again.implode()))[key].to_list()
        old = [one for one in several if (name, one) in self._written]
        self._written.update((name, one) for one in several)
        return rows.filter(~pl.col(key).is_in(old))

    def _write_set(self, name: str, rows: list[dict[str, Any]], known: Known) -> None:
        one = self._sets[name]
        writer = self._writers[name]
        make = row_of(one, known)
        for member in rows:
            if isinstance(one, Distilled40M):
                writer.add_line(file_of(member, known, one.models), make(member))
            else:
                writer.add(make(member))
            self._licences[name][normalised_licence(known.problems[member["problem_id"]]["license"])] += 1

    def _ledger(self, shard: int, facts: Facts, chosen: Members) -> pa.Table:
        """Each response to a living problem: the sets that it is in, or why it is in none."""
        inside = pl.concat(
            [
                pl.DataFrame(schema={"id": pl.String, "name": pl.String}),
                *(_ids(rows).with_columns(pl.lit(name).alias("name")) for name, rows in chosen.items()),
            ]
        )
        sets = inside.group_by("id", maintain_order=True).agg(pl.col("name").unique(maintain_order=True))
        sets = sets.select("id", pl.col("name").list.join(", ").alias("detail"))
        known = facts.responses.select(pl.col("generation_id").alias("id"), "whole")
        rows = pl.DataFrame({"id": responses_of(self._inputs, shard)})
        rows = rows.join(sets, on="id", how="left", maintain_order="left")
        rows = rows.join(known, on="id", how="left", maintain_order="left")
        reason = (
            pl.when(pl.col("detail").is_not_null())
            .then(pl.lit(EXPORTED))
            .when(pl.col("whole").is_null())
            .then(pl.lit(REASON))
            .otherwise(pl.when("whole").then(pl.lit("in_no_set")).otherwise(pl.lit("unformatted")))
        )
        return sifted_ledger("generation", rows.select("id", reason.alias("reason"), "detail").to_arrow(), (EXPORTED,))

    def _card(self, name: str, writer: SetFiles) -> str:
        one = self._sets[name]
        controls = [other for other, kind in self._sets.items() if isinstance(kind, Control)]
        bias = self._census.report(name, controls[0] if controls else None)
        lucky = self._lucky[name] if isinstance(one, Sft) else 0
        files = dict(sorted(writer.rows.items()))
        settings = {
            manifest.step: dict(manifest.settings)
            for manifest in (*self._inputs.sealed.get(0, ()), *self._inputs.whole)
            if manifest.settings.get("kind") in _SELECTION
        }
        return set_card(name, one, schema_of(one), files, self._licences[name], bias, lucky, settings)


def responses_of(inputs: Inputs, shard: int) -> pa.Array:
    """The ids of all responses to the living problems of a shard."""
    table = inputs.table("generations", ["id", "problem_id"], shard)
    return table.filter(pc.is_in(table["problem_id"], value_set=inputs.alive("problem", shard)))["id"].combine_chunks()


def _apart(rows: pl.DataFrame, one: AnySet, sets: Members) -> pl.DataFrame:
    for other in one.apart_from:
        rows = rows.join(sets[other], on="problem_id", how="anti", maintain_order="left")
    return rows


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """problem_id and generation_id of all responses that a member names; null where it names none."""
    first = rows.select("problem_id", "generation_id")
    if "rejected_id" not in rows.columns:
        return first
    return pl.concat([first, rows.select("problem_id", generation_id="rejected_id")])


def _ids(rows: pl.DataFrame) -> pl.DataFrame:
    return _named(rows).select(pl.col("generation_id").alias("id")).drop_nulls()
