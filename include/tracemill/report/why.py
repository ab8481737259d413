"""Tells the life of one problem, response or source row: where it came from, and every decision with its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.markup import escape

from tracemill.engine.identities import successors
from tracemill.engine.runner import shard_count
from tracemill.engine.store import Manifest, Store
from tracemill.engine.tables import declared
from tracemill.errors import MissingInput
from tracemill.recipe import Recipe

SHOWN = 300  # characters of a text in the printed life; the JSON has all of it

Row = dict[str, Any]


def why(identity: str, recipe: Recipe, store: Store) -> dict[str, Any]:
    """All that the store knows about an id: a problem (p...), a generation (g...) or an origin (SOURCE/FILE:ROW).

    Returns {"id", "kind": "problem" | "generation" | "source row", "fate", "found", "responses"}. `found` lists rows
    {"step", "shard", "table", **columns} in recipe order, with those of the problem that a response or source row
    belongs to; `responses` gives the fate of each response to it. Raises MissingInput when no sealed shard knows it.
    """
    sealed = _Sealed(store, list(_manifests(recipe, store)))
    subject = _identified(identity, sealed)
    found = list(_facts(subject, sealed))
    if not found:
        heirs = successors(store, identity)
        if heirs:
            raise MissingInput(f"{identity} is an id of an older store format; today it is {', '.join(heirs)}")
        raise MissingInput(f"no sealed shard of {store.root} knows {identity!r}: check the id, or run the recipe first")
    decisions = [row for row in found if row["table"] == "ledger"]
    responses = _responses(subject, sealed, decisions)
    fate = responses.get(identity) or _fate(decisions, released=set(responses.values()) & {RELEASED} != set())
    return {"id": identity, "kind": subject.kind, "fate": fate, "responses": responses, "found": found}


RELEASED = "released"


def print_life(life: dict[str, Any], console: Console) -> None:
    """Print a life for people: one line a fact, in the order of the recipe, long texts cut."""
    console.print(f"[bold]{escape(life['id'])}[/bold] ({life['kind']}): {escape(life['fate'])}", soft_wrap=True)
    for row in life["found"]:
        hidden = {"step", "shard", "table"}
        facts = {k: v for k, v in row.items() if k not in hidden and v is not None and v != life["id"]}
        text = ", ".join(f"{name} {_short(value)}" for name, value in facts.items())
        place = f"{row['step']} [{row['shard']}] {row['table']}"
        console.print(f"  [cyan]{escape(place):<28}[/cyan] {escape(text)}", soft_wrap=True)
    for response, fate in life["responses"].items():
        console.print(f"  [cyan]{'response':<28}[/cyan] {response}: {escape(fate)}", soft_wrap=True)


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text):,} characters)"


@dataclass(frozen=True)
class _Sealed:
    """The sealed shards of a recipe in its order, searched by id: whole rows are read only where an id is found."""

    store: Store
    manifests: list[Manifest]

    def rows(self, table: str, key: str, ids: Iterable[str], columns: list[str] | None = None) -> Iterator[Row]:
        wanted = pa.array(sorted(ids), pa.string())
        for manifest in self.manifests if len(wanted) else ():
            yield from self.rows_of(manifest, table, key, wanted, columns)

    def rows_of(
        self, manifest: Manifest, table: str, key: str, wanted: pa.Array, columns: list[str] | None = None
    ) -> Iterator[Row]:
        stored = manifest.tables.get(table)
        if stored is None:
            return
        hits = pc.is_in(self.store.get_table(stored, [key])[key], value_set=wanted)
        if pc.any(hits).as_py():
            for row in self.store.get_table(stored, columns).filter(hits).to_pylist():
                yield {"step": manifest.step, "shard": manifest.index, "table": table, **row}


@dataclass(frozen=True)
class _Subject:
    """What an id names, and the ids of the problem, the responses and the source rows whose rows tell about it."""

    kind: str
    problems: frozenset[str] = frozenset()
    generations: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()


def _identified(identity: str, sealed: _Sealed) -> _Subject:
    for row in sealed.rows("generations", "id", [identity], ["problem_id"]):
        problem = row["problem_id"]
        return _Subject("generation", frozenset([problem]), frozenset([identity]), _origins(problem, sealed))
    for row in sealed.rows("provenance", "origin", [identity], ["problem_id"]):
        return _Subject("source row", frozenset([row["problem_id"]]), origins=frozenset([identity]))
    origins = _origins(identity, sealed)
    if origins:
        return _Subject("problem", frozenset([identity]), origins=origins)
    return _Subject("source row", origins=frozenset([identity]))


def _origins(problem: str, sealed: _Sealed) -> frozenset[str]:
    return frozenset(row["origin"] for row in sealed.rows("provenance", "problem_id", [problem], ["origin"]))


def _facts(subject: _Subject, sealed: _Sealed) -> Iterator[Row]:
    ids_of = {"problem": subject.problems, "generation": subject.generations, "row": subject.origins}
    about = [(table.name, *table.about) for table in declared().values() if table.about]
    searches = [(name, key, ids_of[unit]) for name, unit, key in about]
    searches.append(("ledger", "id", subject.problems | subject.generations | subject.origins))
    for manifest in sealed.manifests:
        for table, key, ids in searches:
            if ids:
                yield from sealed.rows_of(manifest, table, key, pa.array(sorted(ids), pa.string()))


def _responses(subject: _Subject, sealed: _Sealed, decisions: list[Row]) -> dict[str, str]:
    """The fate of each response to the problem; one that a decision on its problem took along says so."""
    if subject.kind == "generation":
        ids = subject.generations
        own = [row for row in decisions if row["unit"] == "generation"]
    else:
        rows = sealed.rows("generations", "problem_id", subject.problems, ["id"])
        ids = frozenset(row["id"] for row in rows)
        own = list(sealed.rows("ledger", "id", ids))
    about_problem = [row for row in decisions if row["unit"] == "problem"]
    fates = {}
    for identity in sorted(ids):
        mine = [row for row in own if row["id"] == identity]
        shards = {row["shard"] for row in mine if row["step"] != _last_step(sealed)}
        relevant = [row for row in about_problem if not shards or row["shard"] in shards]
        fates[identity] = _fate(relevant + mine, released=any(row["step"] == _last_step(sealed) for row in mine))
    return fates


def _last_step(sealed: _Sealed) -> str:
    gathered = [manifest for manifest in sealed.manifests if manifest.files]
    return gathered[-1].step if gathered else ""


def _fate(decisions: list[Row], released: bool) -> str:
    """One phrase: released, turned away (where and why), or how far it came."""
    if released:
        return RELEASED
    for row in decisions:
        if row["bucket"] != "kept" and row["reason"] != "same_problem":
            return f"{row['unit']} {row['bucket']} by {row['step']}: {row['reason']}{_numbers(row)}"
    return f"kept so far, last by {decisions[-1]['step']}" if decisions else "no step has judged it"


def _numbers(row: Row) -> str:
    if row["score"] is None:
        return ""
    limit = "" if row["threshold"] is None else f", threshold {row['threshold']:.6g}"
    return f" (score {row['score']:.6g}{limit})"


def _manifests(recipe: Recipe, store: Store) -> Iterator[Manifest]:
    """Every sealed shard, step by step; an unfinished run has fewer."""
    count = shard_count(store)
    for name, step in recipe.pipeline().items():
        found = store.manifests((name, index) for index in (range(count) if step.shape == "map" else range(1)))
        yield from (manifest for manifest in found if manifest is not None)
