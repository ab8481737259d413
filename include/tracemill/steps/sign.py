"""Signs every problem that is alive: the hashes and the vector by which duplicates and contamination are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.dedup.guard import guards
from tracemill.dedup.minhash import band_marks, sketches
from tracemill.dedup.packed import packed
from tracemill.embedders import AnyEmbedder
from tracemill.records import Unit
from tracemill.resources import Resources
from tracemill.steps.base import Inputs, Output, Step, ledger_rows
from tracemill.tables import columns_of
from tracemill.text.ngrams import ngrams, text_keys
from tracemill.text.tokens import tokenise
from tracemill.text.vocabulary import LEXICAL

SHINGLE = 3  # words: one changed word of a 30-word problem leaves a Jaccard of 0.8


class Sign(Step):
    """Writes `signatures`. Costly only in its embedder; later steps never read the texts of all problems again."""

    kind: Literal["sign"]
    embedder: AnyEmbedder
    version: ClassVar[int] = 2
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("signatures", "ledger")

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The embedder's weights."""
        return self.embedder.material()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """One signature per living problem, in the order of `problems`."""
        problems = inputs.table("problems", ["id", "prompt"])
        problems = problems.filter(pc.is_in(problems["id"], value_set=inputs.alive("problem")))
        ids = problems["id"].to_pylist()
        return Output(ledger_rows("problem", ids), {"signatures": self._signed(problems, resources)})

    def _signed(self, problems: pa.Table, resources: Resources) -> pa.Table:
        tokens = tokenise(problems["prompt"])
        guard = guards(tokens)
        marks = band_marks(sketches(ngrams(tokens.only(LEXICAL), SHINGLE)), guard)
        vectors = self.embedder.embed(problems["prompt"].to_pylist(), resources)
        columns = [
            problems["id"],
            pa.array(text_keys(tokens)),
            pa.array(guard),
            packed(marks),
            packed(vectors.astype(np.float16)),
            pa.repeat(pa.scalar(self.embedder.identity()), len(problems)),
        ]
        return pa.table(columns, schema=columns_of("signatures"))
