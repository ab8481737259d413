"""Steps that stand where a recipe's own stood, in a run that generates nothing: they repeat what was sealed before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.ablate.overlay import Overlay
from tracemill.engine.draws import draws
from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.sieve import Sieve
from tracemill.engine.standing import COLUMNS, standing
from tracemill.engine.step import Inputs, Output, Step, kept_rows
from tracemill.engine.store import Manifest, file_digest
from tracemill.engine.tables import columns_of
from tracemill.engine.tables.ablation import ABLATION_TOKENS
from tracemill.errors import MissingInput
from tracemill.release.proof.wanted import Proof, tokenizer_files

CANNOT_TELL = "cannot_tell"  # a model that is not asked here would have decided
UNJUDGED = "unjudged"  # kept, without the number that the step would have given


class OfStored(Step):
    """Base of the steps that repeat what the step `of` has sealed in the store below."""

    of: str  # the name of the step in the recipe

    version: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("problems", "generations", "verdicts", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("ledger",)

    def stored(self, inputs: Inputs) -> Manifest:
        """What the step has sealed of this shard. Raises MissingInput where it has not."""
        store = inputs.store
        found = store.under.manifest(self.of, inputs.index) if isinstance(store, Overlay) else None
        if found is None:
            raise MissingInput(f"step {self.of!r} has not sealed shard {inputs.index}: run the recipe to its release")
        return found

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The shard that is repeated."""
        return {"stored": self.stored(inputs).fingerprint}


class Ticked(OfStored):
    """Keeps every row; of what the step had found `known` stays in sight of later ones."""

    kind: Literal["ticked_off"] = "ticked_off"
    known: tuple[str, ...] = ()  # tables

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """The ledger of a step that decides nothing."""
        tables = self.stored(inputs).tables
        carried = {name: tables[name] for name in self.known if name in tables}
        return Output(kept_rows(self.unit, self.entering(inputs)), carried=carried)


class TickedProblems(Ticked):
    """The same, of a step that decides about problems."""

    unit: ClassVar[Unit] = "problem"


class TickedResponses(Ticked):
    """The same, of a step that decides about responses."""

    unit: ClassVar[Unit] = "generation"


class Replayed(OfStored):
    """Decides as the step `of` did, whose model is not asked again, and passes on all that it had found.

    A row that it never saw is quarantined as `cannot_tell`, kept as `unjudged`, or kept only where its verdicts come to
    a pass, by `unseen`. `own`: the reasons that are the step's own; a row that it turned away for another one is kept
    (a judge repeats a verifier's word); none: all are.
    """

    kind: Literal["replayed"] = "replayed"
    unseen: Literal["leave_out", "keep", "keep_passed"] = "leave_out"
    own: tuple[str, ...] = ()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """The stored decisions, and the same tables."""
        tables = self.stored(inputs).tables
        said = pl.DataFrame(inputs.store.get_table(tables["ledger"])).filter(pl.col("unit") == self.unit)
        entering = pl.DataFrame({"id": self.entering(inputs)})
        rows = entering.join(said.unique("id", keep="last"), on="id", how="left", maintain_order="left")
        ledger = self._decided(rows, inputs).select(columns_of("ledger").names).to_arrow().cast(columns_of("ledger"))
        return Output(ledger, carried={name: one for name, one in tables.items() if name != "ledger"})

    def _decided(self, rows: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
        unseen = pl.col("bucket").is_null()
        stays = pl.col("id").is_in(self._kept_unseen(rows["id"], inputs).implode())
        others = pl.col("reason").is_in(self.own).not_() if self.own else pl.lit(False)
        back = (pl.col("bucket") != "kept") & others.fill_null(False)
        bucket = pl.when(unseen & stays).then(pl.lit("kept")).when(unseen).then(pl.lit("quarantined"))
        reason = pl.when(unseen & stays).then(pl.lit(UNJUDGED)).when(unseen).then(pl.lit(CANNOT_TELL))
        return rows.with_columns(
            bucket.when(back).then(pl.lit("kept")).otherwise("bucket").alias("bucket"),
            reason.otherwise("reason").alias("reason"),
            pl.lit(self.unit).alias("unit"),
        )

    def _kept_unseen(self, ids: pl.Series, inputs: Inputs) -> pl.Series:
        """The ids that stay although the step never saw them."""
        if self.unseen == "keep":
            return ids
        if self.unseen == "leave_out":
            return ids.clear()
        found = standing(inputs.table("verdicts", COLUMNS))
        return found.filter(pl.col("status") == "pass")["generation_id"]


class ReplayedProblems(Replayed):
    """The same, of a step that decides about problems."""

    unit: ClassVar[Unit] = "problem"


class ReplayedResponses(Replayed):
    """The same, of a step that decides about responses."""

    unit: ClassVar[Unit] = "generation"


class Drawn(Sieve):
    """Keeps the responses whose draw by hash is a number or below it; the others are rejected as `not_drawn`.

    One `salt` draws alike from every set: what two sets share is in both draws or in neither, but for their ends.
    """

    kind: Literal["drawn"] = "drawn"
    salt: str
    upto: int

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("generations", "problems", "ledger")

    def sift(self, inputs: Inputs, alive: pa.Array) -> Iterator[pa.Table]:
        """Every living response of the shard."""
        beyond = draws(pl.Series("id", alive), self.salt).to_numpy() > np.uint64(self.upto)
        yield pa.table({"id": alive, "reason": pc.if_else(pa.array(beyond), "not_drawn", None)})


class CountTokens(Step):
    """Counts the tokens of each living response as the proof's tokenizer cuts it: thinking and answer."""

    kind: Literal["count_tokens"] = "count_tokens"
    proof: Proof

    version: ClassVar[int] = 1
    unit: ClassVar[Unit] = "generation"
    reads: ClassVar[tuple[str, ...]] = ("generations", "problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = (ABLATION_TOKENS.name,)

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """None: which tokenizer it is, is material."""
        return {"kind": self.kind}

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The tokenizer's files."""
        return {path.name: file_digest(path) for path in tokenizer_files(self.proof.found(resources))}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """One shard, a batch of texts at a time."""
        alive = inputs.alive("generation")
        tokenizer = self.proof.found(resources).tokenizer
        parts = [ABLATION_TOKENS.empty()]
        for batch in inputs.batches("generations", ["id", "think_content", "answer_content"]):
            rows = batch.filter(pc.is_in(batch["id"], value_set=alive))
            parts_of = (pc.fill_null(rows[name], "") for name in ("think_content", "answer_content"))
            texts = pc.binary_join_element_wise(*parts_of, pa.scalar("\n", pa.large_string())).to_pylist()
            cut = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
            parts.append(pa.table([rows["id"], pa.array(map(len, cut), pa.int64())], schema=ABLATION_TOKENS.schema))
        return Output(kept_rows(self.unit, self.entering(inputs)), {ABLATION_TOKENS.name: pa.concat_tables(parts)})
