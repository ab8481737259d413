"""A recall takes out exactly what a benchmark gives away, makes nothing anew, and later refreshes keep it out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.build.small import LEAK, ONE, Small, ids, small, text
from tracemill.decontaminate.benchmark import Benchmark
from tracemill.errors import RecipeError, SourceError
from tracemill.versions.recall import recall_names
from tracemill.versions.refresh import recall
from tracemill.versions.suspects import RULES, suspected
from tracemill.versions.versions import Published, Version, latest

OLD = [text(k) for k in range(25)]
UNLIKE = (
    "of a herd of 90 goats a third is sold at noon and half of what stays runs off at dusk; how many goats does the \
farmer keep"
)


@pytest.fixture
def leaky(tmp_path: Path) -> Small:
    """Version 1, which holds a problem of a benchmark that nobody knew."""
    made = small(tmp_path, [*OLD, LEAK])
    made.refresh()
    return made


def recalled(made: Small, *questions: str, name: str = "late") -> tuple[int, Published]:
    benchmark = Benchmark(name=name, path=str(made.benchmark(name, *questions)), field="question")
    return recall(made.recipe, made.store, benchmark, ONE)


def sealed_by(made: Small, *steps: str) -> dict[str, int]:
    """When each manifest of these steps was written."""
    return {str(path): path.stat().st_mtime_ns for step in steps for path in made.root.glob(f"{step}/*.json")}


def test_a_recall_removes_the_planted_problem_and_computes_no_stage_anew(leaky: Small) -> None:
    stages = ("plan", "ingest", "sign", "cluster", "unique", "rules", "select")
    before = sealed_by(leaky, *stages)
    gained, published = recalled(leaky, LEAK.upper())
    version = published.version
    assert (gained, version.number, version.cause, version.rows) == (1, 2, "recall", len(OLD))
    assert leaky.released(version) == ids(OLD)
    assert sealed_by(leaky, *stages) == before


def test_the_list_and_the_diff_say_why(leaky: Small) -> None:
    _, published = recalled(leaky, "what is a mole", LEAK)
    (line,) = (json.loads(text) for text in (leaky.root / "revocations" / "late.jsonl").read_text().splitlines())
    (row,) = leaky.changes(published.version)
    assert {line["problem_id"]} == ids([LEAK])
    assert line["generation_id"] == row["generation_id"]
    assert (line["benchmark"], line["item"], line["rule"], line["score"]) == ("late", "1", "exact", 1.0)
    assert (row["step"], row["reason"], row["detail"]) == ("release", "revoked", "late/1 by exact")


def test_a_later_refresh_keeps_the_problem_out(leaky: Small) -> None:
    recalled(leaky, LEAK)
    leaky.write([*OLD, LEAK, UNLIKE])
    done = leaky.refresh()
    assert done.published is not None
    assert leaky.released(done.published.version) == ids([*OLD, UNLIKE])
    assert done.published.version.totals.added == 1


def test_a_later_refresh_compares_new_rows_with_what_was_recalled(leaky: Small) -> None:
    """The benchmark's file may be gone by then: the store has a copy."""
    recalled(leaky, UNLIKE)
    (leaky.folder / "late.jsonl").unlink()
    leaky.write([*OLD, LEAK, f"{UNLIKE}?"])
    done = leaky.refresh()
    assert done.published is not None
    assert leaky.released(done.published.version) == ids([*OLD, LEAK])
    assert not done.published.fresh or done.published.version.totals.added == 0


def test_a_recall_outlives_a_change_of_the_embedder(leaky: Small) -> None:
    recalled(leaky, LEAK)
    leaky.describe(sign={"kind": "sign", "embedder": {"kind": "hashing", "dimensions": 64}})
    done = leaky.refresh()
    assert done.reasons == ["the recipe changed"]
    assert done.published is not None
    assert leaky.released(done.published.version) == ids(OLD)


def card_of(made: Small, version: Version) -> str:
    return b"".join(made.store.chunks(version.files["README.md"].key)).decode()


def test_a_benchmark_that_finds_nothing_revokes_nothing_and_is_on_the_card(leaky: Small) -> None:
    before = latest(leaky.store)
    assert before is not None
    gained, published = recalled(leaky, UNLIKE)
    version = published.version
    assert (gained, version.number, version.rows, leaky.changes(version)) == (0, 2, before.rows, [])
    assert "Recalled later" not in card_of(leaky, before)
    assert "**Benchmarks it was kept apart from**: late\n" in card_of(leaky, version)
    assert "| late | 0 |  |" in card_of(leaky, version)
    assert recalled(leaky, UNLIKE)[1].fresh is False


def test_the_card_lists_every_recalled_benchmark_with_what_it_took_out(leaky: Small) -> None:
    recalled(leaky, LEAK)
    _, published = recalled(leaky, OLD[0], OLD[1], name="later")
    card = card_of(leaky, published.version)
    assert "**Benchmarks it was kept apart from**: late, later\n" in card
    assert "| late | 1 | exact 1 |" in card
    assert "| later | 2 | exact 2 |" in card


def test_recalling_again_changes_nothing(leaky: Small) -> None:
    recalled(leaky, LEAK)
    gained, published = recalled(leaky, LEAK)
    assert (gained, published.fresh, published.version.number) == (0, False, 2)


def test_two_recalls_add_up(leaky: Small) -> None:
    leaky.write([*OLD, LEAK, UNLIKE])
    leaky.refresh()
    recalled(leaky, LEAK)
    _, published = recalled(leaky, UNLIKE, name="later")
    assert recall_names(leaky.store) == ["late", "later"]
    assert leaky.released(published.version) == ids(OLD)


def test_a_name_stands_for_one_benchmark(leaky: Small) -> None:
    recalled(leaky, LEAK)
    with pytest.raises(RecipeError, match="a name of its own"):
        recalled(leaky, UNLIKE)


def test_an_unusable_benchmark_is_named_and_leaves_no_trace(leaky: Small) -> None:
    benchmark = Benchmark(name="late", path=str(leaky.benchmark("late", LEAK)), field="problem")
    with pytest.raises(SourceError, match="no text in field 'problem'"):
        recall(leaky.recipe, leaky.store, benchmark, ONE)
    assert recall_names(leaky.store) == []


FORM = "a ramp of 17 metres leans on a crate and its end slides away at 9 metres a second; how fast does the top fall"
VARIANT = FORM.replace("17", "23").replace("9", "5")


def test_a_problem_that_only_has_an_items_form_waits_for_a_person(tmp_path: Path) -> None:
    made = small(tmp_path, [*OLD, VARIANT])
    made.refresh()
    gained, published = recalled(made, FORM)
    assert (gained, made.released(published.version)) == (0, ids([*OLD, VARIANT]))
    (suspect,) = suspected(made.store, "late")
    assert (suspect.rule in RULES, {suspect.problem_id}) == (True, ids([VARIANT]))

    benchmark = Benchmark(name="late", path=str(made.benchmark("late", FORM)), field="question")
    with pytest.raises(RecipeError, match="no suspect is called p-other"):
        recall(made.recipe, made.store, benchmark, ONE, ["p-other"])
    gained, published = recall(made.recipe, made.store, benchmark, ONE, [suspect.problem_id])
    assert (gained, made.released(published.version)) == (1, ids(OLD))
    assert suspected(made.store, "late") == []


def test_all_suspects_can_be_accepted_at_once_and_stay_out(tmp_path: Path) -> None:
    made = small(tmp_path, [*OLD, VARIANT])
    made.refresh()
    benchmark = Benchmark(name="late", path=str(made.benchmark("late", FORM)), field="question")
    recall(made.recipe, made.store, benchmark, ONE, ["all"])
    made.write([*OLD, VARIANT, UNLIKE])
    done = made.refresh()
    assert done.published is not None
    assert made.released(done.published.version) == ids([*OLD, UNLIKE])
