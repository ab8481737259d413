"""Turns away the responses that hold a phrase which recurs in the whole data set, or cuts the phrase out of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.engine.ids import Unit, generation_id
from tracemill.engine.resources import Resources
from tracemill.engine.responses import CUT_OUT
from tracemill.engine.sieve import sifted_ledger
from tracemill.engine.step import Inputs, Output, Step, kept_rows
from tracemill.engine.store import Manifest, Store, StoredFile
from tracemill.engine.tables import columns_of, empty
from tracemill.errors import MissingInput
from tracemill.select.phrases.cutting import covered, quoted, without
from tracemill.select.phrases.grams import PARTS, grams_of
from tracemill.text.jit import U64, Flags
from tracemill.text.think import rebuilt
from tracemill.text.tokens import token_batches
from tracemill.text.vocabulary import LEXICAL

FREQUENT = "frequent_phrase"
_WHOLE = ("am", "r1", "open_am", "open_r1", "thought", "parts")  # styles of which a text can be made again


class DropPhrases(Step):
    """Apply what an earlier `phrases` step found; the papers do not say whether the row or the string is removed.

    drop: row rejects a response with such a phrase (`frequent_phrase`; score: its words that are in one; detail: the
    first of them). drop: string writes the response anew without the words of its phrases, under a new id, and rejects
    the old one (`phrase_cut_out`): put the verifiers behind it, as nobody has judged the new text. A response of which
    nothing is left, or whose words cannot be placed, is rejected as a row.
    """

    kind: Literal["drop_phrases"]
    drop: Literal["row", "string"] = "row"

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "phrases", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("generations",)

    def lacks(self, before: Sequence[Step]) -> str | None:
        """Phrases that were looked for."""
        found = any("phrases" in one.writes for one in before)
        return None if found else "drops phrases that no step before it looks for: put a `phrases` step there"

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """All of them, and how many words the phrases have."""
        return {**super().settings(inputs), "n": _length(inputs)}

    def input_digests(self, inputs: Inputs) -> list[list[str | int]]:
        """Of the phrases only those that stand in this shard: what recurs elsewhere does not touch it."""
        own = hashlib.sha256(_own(inputs).tobytes()).hexdigest()
        return [d for d in inputs.digests(self.reads) if d[2] != "phrases"] + [["", inputs.index, "phrases", own]]

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Judge one shard. Texts are read only where one of its responses may hold a phrase."""
        alive = inputs.alive("generation")
        grams = _own(inputs)
        if len(grams) == 0:
            return Output(kept_rows("generation", alive), {"generations": empty("generations")})
        rows = list(_found(inputs, alive, grams, _length(inputs)))
        fresh = [new for row in rows if self.drop == "string" and (new := _rewritten(row)) is not None]
        old = {row["former"] for row in fresh}
        told = pa.table(
            {
                "id": pa.array([row["id"] for row in rows], pa.string()),
                "reason": pa.array([CUT_OUT if row["id"] in old else FREQUENT for row in rows], pa.string()),
                "score": pa.array([float(row["covered"]) for row in rows], pa.float64()),
                "detail": pa.array([row["phrase"] for row in rows], pa.large_string()),
            }
        )
        judged = told.take(pc.index_in(alive, value_set=told["id"])).set_column(0, "id", pa.chunked_array([alive]))
        written = pa.Table.from_pylist(fresh, columns_of("generations"))
        return Output(sifted_ledger("generation", judged), {"generations": written})


def _found(inputs: Inputs, alive: pa.Array, grams: U64, n: int) -> Iterator[dict[str, Any]]:
    """The living responses with a phrase: their columns, `covered` words, the first `phrase`, and each part `left`."""
    for batch in inputs.batches("generations"):
        rows = batch.filter(pc.is_in(batch["id"], value_set=alive))
        inside = {part: _covered(rows[part], grams, n) for part in PARTS}
        for place in sorted({place for found in inside.values() for place in found}):
            (row,) = rows.slice(place, 1).to_pylist()
            marks = {part: found[place] for part, found in inside.items() if place in found}
            yield {
                **row,
                "covered": sum(int(mark.sum()) for mark in marks.values()),
                "phrase": next(quoted(row[part], mark) for part, mark in marks.items()),
                "left": {part: without(row[part], mark) for part, mark in marks.items()},
            }


def _covered(texts: pa.Array, grams: U64, n: int) -> dict[int, Flags]:
    """By the places of texts that hold a phrase: which of their words are in one."""
    found = {}
    for first, tokens in token_batches(texts, fold=False):
        every = grams_of(tokens.only(LEXICAL), n)
        hits = np.isin(every.hashes, grams)
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(hits)])[every.offsets]
        for row in np.flatnonzero(np.diff(ends)).tolist():
            found[first + row] = covered(hits[every.offsets[row] : every.offsets[row + 1]], n)
    return found


def _rewritten(row: dict[str, Any]) -> dict[str, Any] | None:
    """The response without its phrases, as a row of its own; None where none can be made of it.

    What a source said of the whole text says nothing of this one.
    """
    parts = {**{part: row[part] for part in PARTS}, **row["left"]}
    if row["style"] not in _WHOLE or any(not (text or "").strip() for text in parts.values()):
        return None
    text = rebuilt(row["style"], *(parts[part] for part in PARTS))
    fresh = generation_id(row["problem_id"], row["teacher"] or "", row["sample_index"] or 0, text, row["mode"])
    return {**row, **parts, "id": fresh, "raw": None, "source_verdict": None, "former": row["id"]}


def _own(inputs: Inputs) -> U64:
    """The phrases that stand in this shard, sorted. Raises MissingInput when no step has looked for any."""
    places = _loaded(inputs.store, _made(inputs).tables["phrases"])
    first, last = np.searchsorted(places["shard"].to_numpy(), [inputs.index, inputs.index + 1])
    grams: U64 = places["gram"].slice(first, last - first).to_numpy()
    return grams


@lru_cache(maxsize=1)
def _loaded(store: Store, stored: StoredFile) -> pa.Table:
    """The places of all shards, sorted by shard and gram, read once for all shards that a process works on."""
    return store.get_table(stored, ["gram", "shard"]).combine_chunks()


def _length(inputs: Inputs) -> int:
    return int(_made(inputs).settings["n"])


def _made(inputs: Inputs) -> Manifest:
    found = [manifest for manifest in inputs.whole if "phrases" in manifest.tables]
    if not found:
        raise MissingInput("no phrases were looked for: put a `phrases` step before `drop_phrases`")
    return found[-1]
