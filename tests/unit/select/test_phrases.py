"""Phrases that recur are counted exactly, in little memory, and a data set that grew is not read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tests.build.tables import inputs_of, sealed_rows
from tracemill.engine.resources import Resources
from tracemill.engine.runner import reconcile
from tracemill.engine.step import Inputs, ledger_rows
from tracemill.engine.store import Counts, Manifest
from tracemill.errors import CorruptShard
from tracemill.select.phrases.counting import Rule, count_all, count_new, frequent
from tracemill.select.phrases.sketch import HIGHEST, Sketch
from tracemill.select.phrases.step import Phrases

Texts = Sequence[str]
STEP: TypeAdapter[Phrases] = TypeAdapter(Phrases)
COUNTS = Counts(entered=0, kept=0, rejected={}, quarantined={})
WORDS = ["ape", "bee", "cat", "dog", "elk"]


def shard(number: int, texts: Texts) -> dict[str, list[dict[str, Any]]]:
    """A shard's responses: each text is an answer, without a chain."""
    rows = [{"id": f"g{number}-{k}", "problem_id": "p", "answer_content": text} for k, text in enumerate(texts)]
    return {"problems": [{"id": "p"}], "generations": rows}


def shards(folder: Path, *texts: Texts) -> Inputs:
    return inputs_of(folder, *(shard(number, some) for number, some in enumerate(texts)))


def naive(texts: Sequence[Texts], n: int, limit: int) -> dict[int, Counter[int]]:
    """How often frequent n-grams stand in each shard, by the plain definition; the counts alone."""
    every = [
        Counter(tuple(w[i : i + n]) for text in some for w in [text.split()] for i in range(len(w) - n + 1))
        for some in texts
    ]
    total = sum(every, Counter[tuple[str, ...]]())
    return {k: Counter(c for gram, c in own.items() if total[gram] > limit) for k, own in enumerate(every)}


def found(places: Any) -> dict[int, Counter[int]]:
    told: dict[int, Counter[int]] = {}
    for row in places.to_pylist():
        told.setdefault(row["shard"], Counter())[row["count"]] += 1
    return told


SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=5)
# Counters of a row at most, and how many n-grams are expected: one part; two parts of few counters; one that fills up.
SKETCHES = st.sampled_from([(4096, 100), (8, 60), (8, 1)])
QUICK = settings(max_examples=20, deadline=None)


@given(st.lists(SENTENCES, min_size=1, max_size=3), st.integers(2, 4), st.integers(1, 5), SKETCHES)
@QUICK
def test_counts_are_those_of_the_plain_definition_however_small_the_sketch(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], n: int, limit: int, sketch: tuple[int, int]
) -> None:
    counted = count_all(shards(tmp_path_factory.mktemp("s"), *texts), Rule(n, limit), *sketch)
    assert found(frequent(counted.places, limit)) == {k: c for k, c in naive(texts, n, limit).items() if c}
    assert sum(counted.totals.values()) == sum(max(len(t.split()) - n + 1, 0) for some in texts for t in some)


@given(st.lists(SENTENCES, min_size=2, max_size=4), st.integers(1, 3), st.integers(1, 5), SKETCHES)
@QUICK
def test_a_data_set_that_grew_has_the_phrases_of_one_that_is_counted_anew(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], old: int, limit: int, sketch: tuple[int, int]
) -> None:
    """Trap: what was rare before and is rare in what came is frequent in both together."""
    folder = tmp_path_factory.mktemp("s")
    rule = Rule(2, limit)
    every = shards(folder, *texts)
    counted = count_all(Inputs(every.store, 0, every.sealed, [], 1), rule, *sketch)
    for step in range(2, len(texts) + 1, old):
        counted = count_new(Inputs(every.store, 0, every.sealed, [], step), rule, counted)
    counted = count_new(every, rule, counted)
    whole = count_all(every, rule, *sketch)
    assert frequent(counted.places, limit).equals(frequent(whole.places, limit))
    assert counted.totals == whole.totals


def filler(seed: int, count: int) -> str:
    """Words that stand nowhere else."""
    draw = Random(seed)
    return " ".join("".join(draw.choices("bcdfghjklmnpqrstvwxz", k=9)) for _ in range(count))


PHRASE = filler(0, 20)


def boiler(times: int, first: int = 1) -> list[str]:
    """So many responses with the phrase among words of their own."""
    return [f"{filler(first + 2 * k, 7)} {PHRASE} {filler(first + 2 * k + 1, 9)}" for k in range(times)]


@pytest.mark.parametrize(("times", "rows"), [(20, 0), (21, 21)], ids=["at-20", "at-21"])
def test_a_string_of_twenty_tokens_may_occur_twenty_times(tmp_path: Path, times: int, rows: int) -> None:
    texts = boiler(times)
    inputs = shards(tmp_path, texts[:11], texts[11:])
    output = STEP.validate_python({"kind": "phrases"}).run(Resources(), inputs)
    places = output.tables["phrases"]
    assert sum(places["count"].to_pylist()) == rows
    assert len(set(places["gram"].to_pylist())) == bool(rows)


def test_chain_and_answer_are_read_apart_and_each_occurrence_counts_once(tmp_path: Path) -> None:
    words = PHRASE.split()
    split = {"think_content": " ".join(words[:10]), "answer_content": " ".join(words[10:])}
    rows = [{"id": f"s{k}", "problem_id": "p", **split} for k in range(30)]
    twice = [{"id": f"t{k}", "problem_id": "p", "think_content": PHRASE, "answer_content": PHRASE} for k in range(10)]
    inputs = inputs_of(tmp_path, {"problems": [{"id": "p"}], "generations": [*rows, *twice]})
    assert STEP.validate_python({"kind": "phrases"}).run(Resources(), inputs).tables["phrases"].num_rows == 0
    one = STEP.validate_python({"kind": "phrases", "limit": 19}).run(Resources(), inputs).tables["phrases"]
    assert one["count"].to_pylist() == [20]


def test_letter_case_and_marks_do_not_tell_phrases_apart_and_the_dead_do_not_count(tmp_path: Path) -> None:
    texts = [*boiler(10), *(text.upper().replace(" ", ", ") + "." for text in boiler(11, 100))]
    inputs = shards(tmp_path, texts)
    assert frequent(count_all(inputs, Rule(20, 20)).places, 20)["count"].to_pylist() == [21]
    gone = ledger_rows("generation", ["g0-3"], "rejected", "blank_answer").to_pylist()
    later = sealed_rows(inputs.store, 0, {"ledger": gone}, "rules").model_copy(update={"unit": "generation"})
    thinned = Inputs(inputs.store, 0, {0: [*inputs.sealed[0], later]}, [], 1)
    assert frequent(count_all(thinned, Rule(20, 20)).places, 20).num_rows == 0


def run_on(inputs: Inputs, **more: Any) -> Manifest:
    """Run the step and seal what it made."""
    step = STEP.validate_python({"kind": "phrases", **more})
    output = step.run(Resources(), inputs)
    reconcile("phrases", step, inputs, output)
    stored = {name: inputs.store.put_table(table, "phrases", 0, name) for name, table in output.tables.items()}
    made: Mapping[str, Any] = step.settings(inputs)
    return Manifest(
        step="phrases", index=0, fingerprint="f", unit="row", counts=COUNTS, tables=stored, settings=dict(made)
    )


def without_texts_of(inputs: Inputs, number: int) -> None:
    """Take a shard's responses out of the store."""
    (manifest,) = inputs.sealed[number]
    Path(inputs.store.path(manifest.tables["generations"].key)).unlink()


def grown(folder: Path, old: int, new: int) -> tuple[Inputs, Manifest]:
    """A data set whose second shard came after the first was counted, with the phrase so many times in each."""
    both = shards(folder, boiler(old), boiler(new, 1000))
    first = run_on(Inputs(both.store, 0, {0: both.sealed[0]}, [], 1))
    return Inputs(both.store, 0, both.sealed, [], 2, first), first


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        pytest.param(15, 6, [15, 6], id="kept-from-before"),
        pytest.param(11, 9, [], id="still-rare"),
        pytest.param(0, 21, [21], id="all-of-it-new"),
        pytest.param(21, 0, [21], id="all-of-it-old"),
        pytest.param(5, 15, [], id="at-20-and-rare-before"),
    ],
)
def test_a_refresh_reads_new_shards_and_what_was_kept_alone(
    tmp_path: Path, old: int, new: int, counts: list[int]
) -> None:
    inputs, _ = grown(tmp_path, old, new)
    without_texts_of(inputs, 0)
    made = run_on(inputs)
    assert inputs.store.get_table(made.tables["phrases"])["count"].to_pylist() == counts


def test_what_was_rare_before_and_is_frequent_now_is_looked_up_in_old_shards(tmp_path: Path) -> None:
    inputs, _ = grown(tmp_path, 5, 16)
    made = run_on(inputs)
    assert inputs.store.get_table(made.tables["phrases"])["count"].to_pylist() == [5, 16]
    without_texts_of(inputs, 0)
    with pytest.raises(CorruptShard, match="missing"):
        run_on(inputs)


def test_an_old_shard_that_changed_is_counted_anew(tmp_path: Path) -> None:
    inputs, _ = grown(tmp_path, 15, 6)
    gone = ledger_rows("generation", ["g0-0"], "rejected", "duplicate").to_pylist()
    later = sealed_rows(inputs.store, 0, {"ledger": gone}, "rules").model_copy(update={"unit": "generation"})
    sealed = {0: [*inputs.sealed[0], later], 1: inputs.sealed[1]}
    made = run_on(Inputs(inputs.store, 0, sealed, [], 2, inputs.previous))
    assert inputs.store.get_table(made.tables["phrases"]).num_rows == 0


def test_other_settings_go_on_from_nothing(tmp_path: Path) -> None:
    inputs, _ = grown(tmp_path, 15, 6)
    made = run_on(inputs, limit=14)
    assert inputs.store.get_table(made.tables["phrases"])["count"].to_pylist() == [15, 6]


def test_counters_stop_at_their_highest(tmp_path: Path) -> None:
    texts = [" ".join(["ape"] * 400)]
    counted = count_all(shards(tmp_path, texts), Rule(2, 200))
    assert frequent(counted.places, 200)["count"].to_pylist() == [399]
    (sketch,) = counted.sketches
    assert sketch.cells.max() == HIGHEST
    assert sketch.with_all(sketch).cells.max() == HIGHEST
    assert Sketch.of_size(8).cells.shape == (2, 8)


def test_nothing_recurs_in_nothing(tmp_path: Path) -> None:
    made = run_on(inputs_of(tmp_path, {"problems": []}))
    assert made.tables["phrases"].rows == 0


@pytest.mark.parametrize("limit", [0, 201])
def test_a_limit_that_no_counter_reaches_is_refused(limit: int) -> None:
    with pytest.raises(ValidationError, match="limit"):
        STEP.validate_python({"kind": "phrases", "limit": limit})
