"""What other settings would take is what a run with them takes, and asking writes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.build.trial import Trial
from tracemill.cli import app
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.recipe import parse_recipe
from tracemill.report.what_if import what_if

STEPS: dict[str, Any] = {
    "verify": {"kind": "verify", "defer": True, "verifiers": [{"kind": "math"}]},
    "grade": {"kind": "grade"},
    "stage_one": {"kind": "stage_one", "easy": ["math"]},
    "stage_two": {"kind": "stage_two", "most": {"math": 2}},
}


def responses(passes: int, number: int) -> list[dict[str, Any]]:
    """Four responses of r1 to one sum, the first `passes` of them right."""
    said = [number + (k >= passes) for k in range(4)]
    text = f"What is {number} + 0?"
    return [
        {"q": text, "a": str(number), "r": f"<think>{k}</think>\\boxed{{{s}}}", "t": "r1"} for k, s in enumerate(said)
    ]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Twelve sums of which 0, 1, ... 4 responses are right, in two files of a shard each.

    Trap: read as a pattern, the store's path names two copies of it.
    """
    rows = [row for number in range(12) for row in responses(number % 5, number)]
    sources = {"a": rows[:24], "b": rows[24:]}
    folder = tmp_path_factory.mktemp("what_if") / "v[12]"
    folder.mkdir()
    made = Trial(folder, sources, STEPS).run()
    for copy in ("v1", "v2"):
        shutil.copytree(folder, folder.with_name(copy))
    return made


def taken(trial: Trial) -> set[str]:
    return {row["generation_id"] for row in trial.rows("stage_one", "stages") if row["chosen"]}


def contents(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        pytest.param([], "grades", id="nothing"),
        pytest.param(["variation=0.6"], "grades", id="a cut: the grades tell"),
        pytest.param(["easy_share=1", "easy_keeps=all"], "grades", id="other coins"),
        pytest.param(["by=nobody"], "grades", id="another model"),
        pytest.param(["ddof=1", "variation=0.6"], "grades", id="another deviation"),
        pytest.param(["thresholds.math=1", "at_threshold=passes"], "scores", id="another threshold"),
        pytest.param(["variations.math=1.1"], "grades", id="a cut by category"),
    ],
)
def test_it_counts_what_a_run_would_take(trial: Trial, tmp_path: Path, changes: list[str], read: str) -> None:
    before = contents(Path(trial.store.root))
    found = what_if(trial.recipe, trial.store, changes)

    other = Trial.__new__(Trial)
    data = trial.recipe.model_dump(mode="json")
    for change in changes:
        key, _, value = change.partition("=")
        name, _, inner = key.partition(".")
        step = data["steps"]["stage_one"]
        number = value if value.isalpha() else json.loads(value)
        step[name] = {inner: number} if inner else number
    other.recipe = parse_recipe(data, "test")
    other.store = type(trial.store).at(str(tmp_path / "store"), create=True)
    other.run()
    was = taken(trial)
    now = taken(other)
    (counts,) = found.counts.to_dicts()
    assert contents(Path(trial.store.root)) == before
    assert (counts["responses_was"], counts["responses_is"]) == (len(was), len(now))
    problem = {row["generation_id"]: row["problem_id"] for row in trial.rows("stage_one", "stages")}
    had = {problem[one] for one in was}
    has = {problem[one] for one in now}
    assert (counts["gained"], counts["lost"]) == (len(has - had), len(had - has))
    assert (counts["problems_was"], counts["problems_is"]) == (len(had), len(has))
    assert found.read == read
    assert sum(found.verdicts["problems"]) == 12
    assert len(had) > 5


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(["variation=0.6"], id="a cut"),
        pytest.param(["ddof=1", "variation=0.6"], id="another deviation"),
        pytest.param(["easy_share=0.3"], id="coins against another share"),
        pytest.param(["best=reaches", "variations.math=1.1"], id="equality, and a category's own"),
        pytest.param(["lucky=drop", "lucky_below=0.9"], id="luck"),
        pytest.param(["by=nobody"], id="another model"),
        pytest.param(["easy=[]"], id="other categories are easy: their coins are not kept"),
        pytest.param(["salt=other"], id="other coins are not kept"),
        pytest.param(["thresholds.math=1", "at_threshold=passes"], id="another threshold adds up anew"),
    ],
)
def test_what_one_question_added_up_tells_the_next_one_the_same(
    trial: Trial, tmp_path: Path, changes: list[str]
) -> None:
    machine = Resources(workers=1, environment={"TRACEMILL_CACHE": str(tmp_path)})
    plain = what_if(trial.recipe, trial.store, changes)
    first = what_if(trial.recipe, trial.store, ["variation=0.1"], machine=machine, keep_from=1)
    assert list(tmp_path.rglob("*.parquet"))
    again = what_if(trial.recipe, trial.store, changes, machine=machine, keep_from=1)
    assert again.verdicts.equals(plain.verdicts)
    assert again.counts.equals(plain.counts)
    assert first.read == "grades"


def test_what_was_kept_does_not_outlive_the_shards_that_it_was_made_from(tmp_path: Path) -> None:
    """Trap: a step that ran again with other settings leaves the same names behind."""
    rows = {"a": [*responses(2, 1), *responses(4, 2)]}
    trial = Trial(tmp_path, rows, STEPS).run()
    machine = Resources(workers=1, environment={"TRACEMILL_CACHE": str(tmp_path / "cache")})
    before = what_if(trial.recipe, trial.store, [], machine=machine, keep_from=1)
    step = {**STEPS["stage_one"], "easy": []}
    trial.recipe = parse_recipe({**trial.recipe.model_dump(mode="json"), "steps": {**STEPS, "stage_one": step}}, "test")
    trial.run()
    after = what_if(trial.recipe, trial.store, [], machine=machine, keep_from=1)
    assert before.counts["responses_is"].to_list() != after.counts["responses_is"].to_list()
    assert len(list((tmp_path / "cache" / "selection").glob("*/*"))) == 1


@pytest.mark.parametrize(("least", "taken_problems"), [(4, 6), (5, 0)])
def test_what_the_grading_step_calls_ungraded_no_stage_takes(tmp_path: Path, least: int, taken_problems: int) -> None:
    rows = [row for number in range(8) for row in responses(1 + number % 4, number)]  # two are solved always
    easy = {**STEPS["stage_one"], "easy": []}
    trial = Trial(
        tmp_path, {"a": rows}, {**STEPS, "grade": {"kind": "grade", "least_decided": least}, "stage_one": easy}
    )
    trial.run()
    assert len({row["problem_id"] for row in trial.rows("stage_one", "stages") if row["chosen"]}) == taken_problems
    ledger = [row for row in trial.rows("stage_one", "ledger") if row["reason"] == "ungraded"]
    assert {(row["score"], row["threshold"]) for row in ledger} == ({(4.0, 5.0)} if not taken_problems else set())
    machine = Resources(workers=1, environment={"TRACEMILL_CACHE": str(tmp_path / "cache")})
    for _ in ("first", "kept"):
        found = what_if(trial.recipe, trial.store, ["variation=0.1"], machine=machine, keep_from=1)
        assert found.counts["problems_is"].sum() == taken_problems
    second = what_if(trial.recipe, trial.store, ["most.math=9"], "stage_two")
    assert second.counts["problems_is"].sum() == taken_problems


def test_of_stage_two_it_ranks_all_shards_again(trial: Trial) -> None:
    found = what_if(trial.recipe, trial.store, ["most.math=5", "salt=other"], "stage_two")
    (counts,) = found.counts.to_dicts()
    assert (counts["problems_was"], counts["problems_is"], counts["lost"] + 3) == (2, 5, counts["gained"])


def test_rows_that_a_later_step_turned_away_are_not_counted(tmp_path: Path) -> None:
    """Trap: grades count every response; only those that live can be taken."""
    steps = {**STEPS, "verify": {"kind": "verify", "verifiers": [{"kind": "math"}]}}
    trial = Trial(tmp_path, {"a": [*responses(2, 1), *responses(4, 2)]}, steps).run()
    found = what_if(trial.recipe, trial.store, ["variation=2", "easy_share=1", "easy_keeps=all"])
    assert found.read == "scores"
    assert found.counts["responses_is"].to_list() == [6]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param("variation", "write KEY=VALUE", id="no value"),
        pytest.param("variatoin=1", "did you mean 'variation'", id="no such key"),
        pytest.param("variation=-1", "variation: ", id="out of range"),
        pytest.param("kind=select", "no key 'kind'", id="another step"),
        pytest.param("variations.mth=0.3", "category 'mth'; did you mean 'math'", id="a category that no problem has"),
        pytest.param("easy_share=[", "cannot be read", id="no YAML"),
        pytest.param("variation.math=0.3", "did you mean 'variations.math'", id="of one category, said of all"),
    ],
)
def test_a_wrong_change_is_one_sentence(trial: Trial, change: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said.replace("[", r"\[")):
        what_if(trial.recipe, trial.store, [change])


@pytest.mark.parametrize("change", ["most.mth=1", "variations.mth=0.3", "thresholds.mth=0.5"])
def test_of_stage_two_a_category_that_no_problem_has_is_named(trial: Trial, change: str) -> None:
    """Trap: it changed nothing, which reads as an answer."""
    with pytest.raises(RecipeError, match="no problem has the category 'mth'; did you mean 'math'"):
        what_if(trial.recipe, trial.store, [change], "stage_two")


def test_a_setting_that_is_asked_for_twice_is_refused(trial: Trial) -> None:
    """Trap: the last one would silently win, and the answer be about half of what was asked."""
    with pytest.raises(RecipeError, match=r"variation is asked for twice, as 0\.3 and 0\.6"):
        what_if(trial.recipe, trial.store, ["variation=0.3", "variation=0.6"])


def test_a_recipe_without_such_a_step_says_so(trial: Trial) -> None:
    with pytest.raises(RecipeError, match="named 'grade'; there are: stage_one, stage_two"):
        what_if(trial.recipe, trial.store, [], "grade")


def test_a_problem_of_two_shards_is_not_counted_more_often_for_asking_about_luck(tmp_path: Path) -> None:
    """Trap: of each copy there are grades, and each of them was joined to the responses of both."""
    trial = Trial(tmp_path, {"a": responses(2, 1), "b": responses(2, 1)}, STEPS).run()
    asked = [["variation=0.3"], ["lucky=drop", "lucky_below=0"]]
    told = [what_if(trial.recipe, trial.store, changes).counts["responses_was"].to_list() for changes in asked]
    assert told == [[4], [4]]


def test_the_command_prints_and_gives_json(trial: Trial) -> None:
    root = str(trial.store.root)
    said = CliRunner().invoke(app, ["select", root, "--what-if", "variation=0.6"])
    assert said.exit_code == 0, said.output
    assert "challenging" in said.output
    assert "nothing was written" in said.output
    told = json.loads(CliRunner().invoke(app, ["select", root, "--json"]).output)
    assert told["categories"][0]["gained"] == 0
