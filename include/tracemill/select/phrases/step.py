"""Finds the phrases that recur in the whole data set: boilerplate that models would learn by heart."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tracemill.engine.ids import Unit
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.select.phrases.counting import Rule, count_all, count_new, frequent
from tracemill.select.phrases.kept import counted_before, kept_tables


class Phrases(Step):
    """Count the `n`-grams of words in all living responses, chain and answer apart, and keep those above `limit`.

    DeepDistill (arXiv 2504.17565, section 2.5) and arXiv 2505.14464 remove what 20-token strings occur more than 20
    times in the whole data set; a `drop_phrases` step behind this one does. Counted exactly (up to a chance of 2^-64
    for each pair of n-grams), each occurrence once, also those within one response. A word is what
    `text/tokens.py` takes for one, so letter case, spacing and sentence marks do not tell two apart.

    A refresh counts new shards alone where old ones are as they were; see docs/design/phrases.md.
    """

    kind: Literal["phrases"]
    n: Annotated[int, Field(ge=2, le=100)] = 20
    limit: Annotated[int, Field(ge=1, le=200)] = 20

    version: ClassVar[int] = 1
    shape: ClassVar[Literal["map", "gather"]] = "gather"
    unit: ClassVar[Unit] = "row"
    reads: ClassVar[tuple[str, ...]] = ("generations", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("phrases", "phrase_counts", "phrase_shards", "phrase_sketch")

    def settings(self, inputs: Inputs) -> dict[str, Any]:
        """All of them, and the version, by which a later run knows what it may go on from."""
        return {**super().settings(inputs), "version": self.version}

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """Count all shards, or the new ones. Memory: see `count_all`."""
        rule = Rule(self.n, self.limit)
        before = counted_before(inputs, self.settings(inputs))
        counted = count_all(inputs, rule) if before is None else count_new(inputs, rule, before)
        found = frequent(counted.places, self.limit)
        ledger = ledger_rows("row", [f"shard {shard}" for shard in sorted(counted.totals)])
        return Output(ledger, {"phrases": found, **kept_tables(counted, inputs)})
