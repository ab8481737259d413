"""Signs every problem that is alive: the hashes and the vector by which duplicates and contamination are found."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.dedup.agreement_key import guards
from tracemill.dedup.minhash import band_marks, sketches
from tracemill.embedders import AnyEmbedder
from tracemill.engine.ids import Unit
from tracemill.engine.packed import packed
from tracemill.engine.resources import Resources
from tracemill.engine.step import Inputs, Output, Step, ledger_rows
from tracemill.engine.tables import columns_of
from tracemill.ingest.turns import unasked
from tracemill.text.choices import opened
from tracemill.text.figures import figure_code
from tracemill.text.ngrams import ngrams, text_keys
from tracemill.text.problem_text import normalised_problems
from tracemill.text.tokens import tokenise
from tracemill.text.verbatim import MAY_BE, code, crosses, primes
from tracemill.text.vocabulary import LEXICAL

_LONE_LETTER = r"(?:^|[^A-Za-z])[B-HJ-Z](?:[^A-Za-z]|$)"
_LETTERS = re.compile(r"(?<![A-Za-z])[B-HJ-Zb-hj-z](?![A-Za-z])")
_DRAWN = r"\[asy|tikz|\\begin|```"
SHINGLE = 3  # words: one changed word of a 30-word problem leaves a Jaccard of 0.8


class Sign(Step):
    """Writes `signatures`. Costly only in its embedder; later steps never read the texts of all problems again."""

    kind: Literal["sign"]
    embedder: AnyEmbedder
    version: ClassVar[int] = 6
    unit: ClassVar[Unit] = "problem"
    reads: ClassVar[tuple[str, ...]] = ("problems", "ledger")
    writes: ClassVar[tuple[str, ...]] = ("signatures", "spaces", "ledger")

    def material(self, resources: Resources, inputs: Inputs) -> Mapping[str, str]:
        """The embedder's weights."""
        return self.embedder.material()

    def run(self, resources: Resources, inputs: Inputs) -> Output:
        """One signature per living problem, in the order of `problems`."""
        problems = inputs.table("problems", ["id", "prompt", "messages"])
        problems = problems.filter(pc.is_in(problems["id"], value_set=inputs.alive("problem")))
        ids = problems["id"].to_pylist()
        limits = self.embedder.limits()
        space = [[self.embedder.identity()], [self.embedder.kind], [limits.semantic], [limits.across]]
        tables = {"signatures": self._signed(problems, resources), "spaces": pa.table(space, columns_of("spaces"))}
        return Output(ledger_rows("problem", ids), tables)

    def _signed(self, problems: pa.Table, resources: Resources) -> pa.Table:
        texts = normalised_problems(problems["prompt"])
        tokens = tokenise(texts)
        asked = opened(texts)
        open_tokens = tokens if asked is texts else tokenise(asked)
        guard = guards(open_tokens)
        marks = band_marks(sketches(ngrams(open_tokens.only(LEXICAL), SHINGLE)), guard)
        vectors = self.embedder.embed(asked.to_pylist(), resources)
        columns = [
            problems["id"],
            pa.array(_keys(text_keys(tokens), texts, problems)),
            pa.array(guard),
            packed(marks),
            packed(vectors.astype(np.float16)),
            pa.repeat(pa.scalar(self.embedder.identity()), len(problems)),
        ]
        return pa.table(columns, schema=columns_of("signatures"))


def _keys(keys: list[str], texts: pa.Array, problems: pa.Table) -> list[str]:
    """The keys, with what the tokens leave out and two problems may differ in.

    That is the case of letters, drawings, code, the primes of formulas, crosses of vectors, and the turns not asked.
    """
    prompts = problems["prompt"].combine_chunks()
    messages = problems["messages"].combine_chunks()
    found = [
        pc.match_substring_regex(texts, _LONE_LETTER),
        pc.match_substring_regex(prompts, _DRAWN),
        pc.match_substring_regex(prompts, MAY_BE),
        pc.is_valid(messages),
    ]
    for row in np.flatnonzero(functools.reduce(pc.or_, found).to_numpy(zero_copy_only=False)).tolist():
        text = texts[row].as_py()
        prompt = prompts[row].as_py()
        letters = "" if text.isupper() else "".join(_LETTERS.findall(text))
        verbatim = (primes(text), crosses(prompt), code(prompt), unasked(messages[row].as_py()))
        more = [figure_code(prompt), *filter(None, verbatim)]
        keys[row] = hashlib.sha256((keys[row] + "|".join([letters, *more])).encode()).hexdigest()[:32]
    return keys
