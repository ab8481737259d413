"""Decides of pairs of rows that a search has found alike whether they are one problem: texts, figures, answers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.dedup.corpus import Corpus
from tracemill.dedup.load import by_shard
from tracemill.engine.step import Inputs
from tracemill.ingest.turns import unasked
from tracemill.text.choices import open_form
from tracemill.text.figures import figure_code
from tracemill.text.jit import I64, Flags
from tracemill.text.problem_text import normalised_problem
from tracemill.text.verbatim import code, crosses, primes
from tracemill.text.wording.across import across
from tracemill.text.wording.difference import Difference, difference
from tracemill.text.wording.evidence import Evidence, compared, evidence, stated, telling
from tracemill.text.wording.prints import other_print
from tracemill.text.wording.words import Parts, read_parts
from tracemill.verify.math.same_answer import same_answers

SAID = ("reference_answer", "test_case", "constraints")  # of the answer
COLUMNS = ("prompt", "messages", *SAID)
CACHED = 4096  # texts whose parts are at hand; pairs come row by row
APART = Difference(False, ())


class Referee:
    """Holds the texts and answers of the rows that stand in any pair; memory: those texts once, as Arrow has them."""

    def __init__(self, inputs: Inputs, corpus: Corpus, rows: I64, workers: int) -> None:
        self._rows = rows
        self._workers = workers
        self._table = _read(inputs, corpus, rows)
        self._known: dict[tuple[str, str], str] = {}
        self._text = lru_cache(CACHED)(self._read_text)
        self._parts = lru_cache(CACHED)(self._read_parts)
        self._evidence = lru_cache(CACHED)(self._read_evidence)

    def difference(self, one: int, other: int) -> Difference:
        """Whether two rows of the corpus are one problem, and in which words they differ."""
        first, second = self._places(one, other)
        answers = self._answers(first, second)
        if answers == "different" or self._drawn(first, second) or self._worded(first, second):
            return APART
        opened = bool(self._evidence(first).choices) != bool(self._evidence(second).choices)
        parts = self._parts(first, opened), self._parts(second, opened)
        if parts[0].tokens == parts[1].tokens and other_print(self._text(first), self._text(second)):
            return APART
        agreed = answers == "equal" and telling(self._evidence(first), parts[0])
        if parts[0].chinese == parts[1].chinese:
            return difference(*parts, agreed)
        return across(*parts, agreed, (self._text(first), self._text(second)))

    def same(self, one: int, other: int) -> bool:
        """Whether two rows of the same tokens may have the same answer, and print the same text."""
        first, second = self._places(one, other)
        return self._answers(first, second) != "different" and not other_print(self._text(first), self._text(second))

    def contested(self, rows: I64, group: I64) -> Flags:
        """Which of those rows stand in a group with more than one answer, or more than one print of the text."""
        places = pa.array(np.searchsorted(self._rows, rows))
        named = {name: pl.Series(name, self._table[name].take(places)).fill_null("") for name in (*SAID, "prompt")}
        told = pl.DataFrame({"group": group, **named}).select(
            "group", _print(pl.col("prompt")), said=pl.concat_str(SAID, separator="\0")
        )
        spoken = pl.col("said").filter(pl.col("said") != "\0\0").n_unique().over("group")
        printed = pl.col("prompt").n_unique().over("group")
        flags: Flags = told.select((spoken > 1) | (printed > 1)).to_series().to_numpy()
        return flags

    def ask(self, pairs: I64) -> None:
        """Compare the answers of those pairs that only a verifier can compare, all at once."""
        asked: dict[tuple[str, str], None] = {}
        for one, other in pairs.tolist():
            first, second = (self._evidence(place) for place in self._places(one, other))
            if compared(first, second) == "ask":
                asked[stated(first) or "", stated(second) or ""] = None
        wanted = [pair for pair in asked if pair not in self._known]
        if wanted:
            self._known |= dict(zip(wanted, same_answers(wanted, self._workers), strict=True))

    def _answers(self, first: int, second: int) -> str:
        one = self._evidence(first)
        other = self._evidence(second)
        verdict = compared(one, other)
        if verdict != "ask":
            return verdict
        pair = stated(one) or "", stated(other) or ""
        if pair not in self._known:
            self._known |= dict(zip([pair], same_answers([pair], self._workers), strict=True))
        return self._known[pair]

    def _drawn(self, first: int, second: int) -> bool:
        """Whether both have a drawing, and not the same one."""
        codes = [figure_code(self._prompt(place)) for place in (first, second)]
        return all(codes) and codes[0] != codes[1]

    def _worded(self, first: int, second: int) -> bool:
        """Whether they differ in what tokens fold or prompts leave out: primes, crosses, code, turns not asked.

        One copy of a code may have lost its fences.
        """
        if primes(self._text(first)) != primes(self._text(second)) or self._turns(first) != self._turns(second):
            return True
        if crosses(self._prompt(first)) != crosses(self._prompt(second)):
            return True
        codes = [code(self._prompt(place)) for place in (first, second)]
        return all(codes) and codes[0] != codes[1]

    def _prompt(self, place: int) -> str:
        return self._table["prompt"][place].as_py() or ""

    def _turns(self, place: int) -> str:
        return unasked(self._table["messages"][place].as_py())

    def _places(self, one: int, other: int) -> tuple[int, int]:
        first, second = np.searchsorted(self._rows, [one, other]).tolist()
        return first, second

    def _read_text(self, place: int) -> str:
        return normalised_problem(self._prompt(place))

    def _read_parts(self, place: int, opened: bool) -> Parts:
        text = self._text(place)
        return read_parts(open_form(text) if opened else text)

    def _read_evidence(self, place: int) -> Evidence:
        row = {name: self._table[name][place].as_py() for name in SAID}
        return evidence(self._text(place), row)


def _print(prompt: pl.Expr) -> pl.Expr:
    """The prompt without the commonest differences of print: blanks, dollars, and the commas of large numbers."""
    bare = prompt.str.replace_all("$", "", literal=True).str.replace_all(r"\s+", " ").str.strip_chars()
    return bare.str.replace_all(r"(^|[^(\[{\d,])(\d{1,3}),(\d{3})\b", "$1$2$3")


def _read(inputs: Inputs, corpus: Corpus, rows: I64) -> pa.Table:
    """The rows' texts and answers, in their order."""
    parts = []
    order = [np.zeros(0, np.int64)]
    for shard, places in by_shard(corpus, rows):
        known = inputs.table("problems", ["id"], shard)["id"]
        wanted = pa.array(corpus.ids[rows[places]], pa.string())
        numbers = pc.index_in(wanted, value_set=known).to_numpy().astype(np.int64)
        parts.append(inputs.rows("problems", list(COLUMNS), numbers, shard))
        order.append(places)
    whole = pa.concat_tables(parts) if parts else pa.table({name: pa.array([], pa.large_string()) for name in COLUMNS})
    return whole.take(np.argsort(np.concatenate(order))).combine_chunks()
