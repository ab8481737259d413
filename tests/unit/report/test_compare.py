"""Teachers side by side where one of them is odd: silent, always wrong, of another's name, or never asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from matplotlib import rc_context
from matplotlib.figure import Figure
from rich.console import Console

from tests.build.answering import OPEN, solving
from tests.build.several import Servers, rows
from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError
from tracemill.local.preflight import require_ready
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe
from tracemill.report.compare import BIN, Comparison, compare
from tracemill.report.comparison_files import length_panel, unlike, write

ROWS = 6
SUMS = [row for row in OPEN.values() if row["category"] == "math"][:ROWS]
COLUMNS = {name: name for name in ("prompt", "id", "reference_answer", "category")}


def asking(name: str, **teacher: Any) -> dict[str, Any]:
    """A distill step that asks one model for all problems."""
    model = {"name": name, "weights": f"org/{name}", "revision": "a" * 40, "serve": {"max_model_len": 1024}}
    kind = {"kind": "chat", "sampling": {"max_tokens": 320}, "model": model}
    return {"kind": "distill", "problems": "all", "teacher": {**kind, **teacher}}


def recipe(folder: Path, steps: Mapping[str, Any], named: Sequence[str] = ()) -> Path:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in SUMS), encoding="utf-8")
    common = {"intersect": {"kind": "intersect", "teachers": list(named)}} if named else {}
    source = {"kind": "jsonl", "name": "sums", "path": "rows.jsonl", "columns": COLUMNS, "license": "MIT"}
    data = {
        "name": "odd",
        "description": "Teachers of all kinds.",
        "sources": [source],
        "steps": {
            **steps,
            "verify": {"kind": "verify", "verifiers": [{"kind": "math"}]},
            **common,
            "select": {"kind": "select", "responses_per_problem": 3, "unverified": "drop"},
            "release": {"kind": "release"},
        },
    }
    (folder / "odd.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return folder / "odd.yaml"


def ran(file: Path, **servers: FakeServer) -> Run:
    done = Run(load_recipe(str(file)), str(file.parent / "store"), Servers(servers).machine(), Console(quiet=True))
    done.go()
    return done


def by_teacher(found: Comparison) -> dict[str, tuple[int, int]]:
    """Responses, and problems solved."""
    whole = found.rates.filter(pl.col("category").is_null())
    return {teacher: (n, solved) for teacher, n, solved in whole.select("teacher", "responses", "solved").iter_rows()}


@pytest.mark.slow
def test_a_teacher_that_never_answers_solves_nothing_and_is_named(tmp_path: Path) -> None:
    """Trap: one without a response was no teacher at all, and what the others solved had been solved by every one."""
    done = ran(
        recipe(tmp_path, {"good": asking("good"), "mute": asking("mute")}), good=solving(4), mute=FakeServer(context=4)
    )
    found = compare(done.recipe, done.store)
    assert by_teacher(found) == {"good": (ROWS, ROWS)}
    assert (found.shared, found.problems, found.silent) == (0, ROWS, ("mute",))
    write(found, tmp_path / "out", "Teachers")
    assert "names mute, of which there is no response" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refused", "left"),
    [
        pytest.param({}, {}, id="quarantined, as one teacher's recipes want it"),
        pytest.param({"refused": "keep"}, {"good": (ROWS, ROWS)}, id="kept for the others"),
    ],
)
def test_what_the_first_teacher_refuses_may_stay_for_the_second(
    refused: dict[str, str], left: dict[str, tuple[int, int]], tmp_path: Path
) -> None:
    """Trap: the order of two teachers decided whether the second was asked at all."""
    file = recipe(tmp_path, {"mute": {**asking("mute"), **refused}, "good": asking("good")})
    done = ran(file, good=solving(4), mute=FakeServer(context=4))
    ledger = {(row["bucket"], row["reason"]) for row in rows(done, "mute", "ledger")}
    assert ledger == {("kept" if refused else "quarantined", "too_long")}
    if not left:
        with pytest.raises(RecipeError, match="no response of recipe 'odd' names its teacher"):
            compare(done.recipe, done.store)
        return
    found = compare(done.recipe, done.store)
    assert by_teacher(found) == left
    assert (found.shared, found.silent) == (0, ("mute",))


@pytest.mark.slow
def test_a_teacher_that_never_passes_leaves_an_empty_intersection_and_a_whole_page(tmp_path: Path) -> None:
    steps = {"good": asking("good"), "bad": asking("bad")}
    done = ran(recipe(tmp_path, steps, ["good", "bad"]), good=solving(4), bad=solving(0))
    found = compare(done.recipe, done.store)
    assert by_teacher(found) == {"good": (ROWS, ROWS), "bad": (ROWS, 0)}
    assert (found.shared, found.silent, unlike(found)) == (0, (), "")
    assert rows(done, "select", "selected") == []
    assert found.rates["attempts_per_accepted"].null_count() == found.rates.height
    assert "| bad |" in write(found, tmp_path / "out", "Teachers")[-1].read_text(encoding="utf-8")


def test_the_axis_of_lengths_has_numbers_as_far_as_there_are_lengths() -> None:
    """Trap: with formulas switched off, as names of models hold dollars, a logarithmic axis writes its own as text."""
    lengths = pl.DataFrame({"teacher": ["a", "a", "b"], "tokens": [0, 3 * BIN, 30 * BIN], "responses": [3, 1, 2]})
    with rc_context({"text.parse_math": False}):
        axes = Figure().subplots()
        length_panel(axes, lengths, ["a", "b"])
        shown = [label.get_text() for label in axes.get_xticklabels()]
    assert shown == ["64", "256", "1,024"]
    assert axes.get_xlim()[1] < 64 * BIN


@pytest.mark.slow
def test_a_strong_teacher_that_is_asked_what_a_cheap_one_failed_is_not_compared_with_it(tmp_path: Path) -> None:
    """Trap: solving half of what the cheap one could not, it stood beside that one as the worse of the two."""
    verify = {"kind": "verify", "verifiers": [{"kind": "math"}]}
    steps = {"cheap": asking("cheap"), "between": verify, "strong": {**asking("strong"), "problems": "unverified"}}
    done = ran(recipe(tmp_path, steps), cheap=solving(2), strong=solving(4))
    found = compare(done.recipe, done.store)
    failed = ROWS - by_teacher(found)["cheap"][1]
    assert 0 < failed < ROWS
    assert found.answered == {"cheap": ROWS, "strong": failed, "": failed}
    page = write(found, tmp_path / "out", "Teachers")[-1].read_text(encoding="utf-8")
    assert f"did not answer the same problems (cheap {ROWS}, strong {failed}; {failed} all of them)" in page
    assert dict(found.rates.filter(pl.col("category").is_null()).select("teacher", "problems").iter_rows()) == {
        "cheap": ROWS,
        "strong": failed,
    }


@pytest.mark.slow
def test_what_all_solved_is_what_all_that_are_intersected_solved(tmp_path: Path) -> None:
    """Trap: a third teacher that is left out of the intersection made nothing of it."""
    steps = {name: asking(name) for name in ("one", "two", "third")}
    done = ran(recipe(tmp_path, steps, ["one", "two"]), one=solving(4), two=solving(4), third=solving(0))
    assert compare(done.recipe, done.store).shared == ROWS


@pytest.mark.slow
def test_a_model_that_says_the_same_to_a_second_step_is_released_once(tmp_path: Path) -> None:
    """Trap: two rows of one id were judged, counted four times, and released twice."""
    again = asking("one", sampling={"max_tokens": 320, "temperature": 0.2})
    done = ran(recipe(tmp_path, {"first": asking("one"), "second": again}), one=solving(4))
    assert by_teacher(compare(done.recipe, done.store)) == {"one": (ROWS, ROWS)}
    chosen = [row["generation_id"] for row in rows(done, "select", "selected")]
    assert len(chosen) == len(set(chosen)) == ROWS
    assert rows(done, "second", "generations") == []


APART: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "one name twice": (asking("one"), asking("one", sampling={"max_tokens": 9}), False),
    "two names": (asking("one"), asking("two"), True),
    "the second for what is unsolved": (asking("one"), {**asking("one"), "problems": "unverified"}, True),
    "another source each": (
        {**asking("one"), "sources": ["sums"]},
        {**asking("one"), "sources": ["more"]},
        True,
    ),
    "all sources, and one": (asking("one"), {**asking("one"), "sources": ["sums"]}, False),
}


@pytest.mark.parametrize(("one", "other", "taken"), APART.values(), ids=APART)
def test_two_steps_whose_responses_nobody_could_tell_apart_are_refused(
    one: dict[str, Any], other: dict[str, Any], taken: bool, tmp_path: Path
) -> None:
    file = recipe(tmp_path, {"first": one, "second": other})
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["sources"].append({**data["sources"][0], "name": "more"})
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    machine = Servers({name: solving(4) for name in ("one", "two")}).machine()
    if taken:
        require_ready(load_recipe(str(file)), None, machine)
    else:
        with pytest.raises(RecipeError, match=r"'first' and 'second' ask teacher 'one' for all problems.*`modes`"):
            require_ready(load_recipe(str(file)), None, machine)


VERIFY = {"kind": "verify", "verifiers": [{"kind": "math"}]}
LEFT = {**asking("two"), "problems": "unverified"}
FOR_NOTHING: dict[str, tuple[dict[str, Any], bool]] = {
    "a cascade": ({"one": asking("one"), "between": VERIFY, "two": LEFT}, False),
    "a cascade that verifies nothing": ({"one": asking("one"), "two": LEFT}, True),
    "both for all": ({"one": asking("one"), "two": asking("two")}, False),
    "the first alone": ({"two": LEFT}, False),
    "routes": ({"one": {**asking("one"), "where": {"category": ["math"]}}, "two": LEFT}, False),
    "another source each": (
        {"one": {**asking("one"), "sources": ["sums"]}, "two": {**LEFT, "sources": ["more"]}},
        False,
    ),
    "verified before the first": ({"between": VERIFY, "one": asking("one"), "two": LEFT}, True),
}


@pytest.mark.parametrize(("steps", "told"), FOR_NOTHING.values(), ids=FOR_NOTHING)
def test_a_step_that_asks_what_was_just_answered_is_named(steps: dict[str, Any], told: bool, tmp_path: Path) -> None:
    """Trap: a strong teacher behind a cheap one was paid for everything, as nothing was known to be solved."""
    file = recipe(tmp_path, steps)
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["sources"].append({**data["sources"][0], "name": "more"})
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    said: list[str] = []
    machine = Servers({name: solving(4) for name in ("one", "two")}).machine()
    require_ready(load_recipe(str(file)), None, replace(machine, tell=said.append))
    assert said == ([said[0]] if told else [])
    assert not told or "step 'two' asks for every problem that 'one' answers just before it" in said[0]


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"kind": "stage_one", "by": "bset"}, id="selected by"),
        pytest.param({"kind": "export", "sets": {"p": {"kind": "pairs", "by": "bset"}}}, id="paired"),
        pytest.param(
            {"kind": "export", "sets": {"c": {"kind": "distilled_40m", "models": {"bset": "r1"}}}}, id="laid out"
        ),
    ],
)
def test_a_teacher_that_is_selected_by_and_never_asked_is_named(tmp_path: Path, step: dict[str, Any]) -> None:
    """Trap: a misspelt name left empty training sets, after everything was paid for."""
    file = recipe(tmp_path, {"best": asking("best")})
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    verify = {"kind": "verify", "verifiers": [{"kind": "math"}]}
    best = data["steps"]["best"]
    best["teacher"]["samples"] = 2
    data["steps"] = {"best": best, "verify": verify, "grade": {"kind": "grade"}, "last": step}
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    said: list[str] = []
    require_ready(load_recipe(str(file)), None, replace(Servers({"best": solving(4)}).machine(), tell=said.append))
    assert said == [
        "step 'last': no step asks 'bset', so that only published responses are its; did you mean 'best'? It has: best"
    ]


def test_grading_what_nobody_judges_is_named(tmp_path: Path) -> None:
    rows = {"kind": "jsonl", "name": "s", "path": "s.jsonl", "columns": {"prompt": "q", "response": "r"}}
    file = tmp_path / "unjudged.yaml"
    steps = {"grade": {"kind": "grade"}}
    file.write_text(yaml.safe_dump({"name": "p", "description": "", "sources": [rows], "steps": steps}))
    told: list[str] = []
    require_ready(load_recipe(str(file)), None, Resources(workers=1, tell=told.append))
    assert told == ["step 'grade' grades by verdicts or rewards, and no step before it gives any: put a `verify` there"]


def test_whoever_wrote_the_responses_of_a_source_is_nobody_unknown(tmp_path: Path) -> None:
    rows = {
        "kind": "jsonl",
        "name": "s",
        "path": "s.jsonl",
        "columns": {"prompt": "q", "response": "r"},
        "teacher": "mine",
    }
    layout = {"kind": "export", "sets": {"all": {"kind": "distilled_40m", "models": {"mine": "r1"}}}}
    verify = {"kind": "verify", "verifiers": [{"kind": "math"}]}
    steps = {"verify": verify, "grade": {"kind": "grade"}, "one": {"kind": "stage_one", "by": "mien"}, "export": layout}
    file = tmp_path / "published.yaml"
    file.write_text(
        yaml.safe_dump({"name": "p", "description": "", "sources": [rows], "steps": steps}, sort_keys=False)
    )
    told: list[str] = []
    require_ready(load_recipe(str(file)), None, Resources(workers=1, tell=told.append))
    assert told == [
        "step 'one': no step asks 'mien', so that only published responses are its; did you mean 'mine'? It has: mine"
    ]


@pytest.mark.parametrize(("limit", "told"), [(20, 1), (24, 0)])
def test_more_responses_to_a_problem_than_a_phrase_may_occur_are_named(tmp_path: Path, limit: int, told: int) -> None:
    """Trap: each response begins by saying the problem again, and all of them went as boilerplate."""
    file = recipe(tmp_path, {"best": asking("best")})
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    best = data["steps"]["best"]
    best["teacher"] |= {"samples": 12, "modes": {"quick": {"thinking": False}, "deep": {"thinking": True}}}
    data["steps"] = {"best": best, "phrases": {"kind": "phrases", "limit": limit}, "drop": {"kind": "drop_phrases"}}
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    said: list[str] = []
    require_ready(load_recipe(str(file)), None, replace(Servers({"best": solving(4)}).machine(), tell=said.append))
    assert len(said) == told
    assert not told or "a problem may have 24 responses" in said[0]


@pytest.mark.parametrize(
    ("samples", "last", "said"),
    [
        pytest.param(1, {}, "asks for 2 decided samples of a problem, and 'best' draws 1", id="one sample"),
        pytest.param(4, {"mode": "thinkin"}, "step 'last': no teacher has a mode 'thinkin'", id="no such mode"),
        pytest.param(
            4, {"variations": {"mathh": 0.3, "biology": 0.2}}, "'mathh'; did you mean 'math'?", id="a category misspelt"
        ),
    ],
)
def test_what_makes_nonsense_of_grades_is_named_before_they_are_paid_for(
    tmp_path: Path, samples: int, last: dict[str, Any], said: str
) -> None:
    """Traps: a teacher's `samples` are 1 unless said, and all was paid for a selection of nothing; a word misspelt."""
    file = recipe(tmp_path, {"best": asking("best")})
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    best = data["steps"]["best"]
    best["teacher"]["samples"] = samples
    verify = {"kind": "verify", "verifiers": [{"kind": "math"}]}
    data["steps"] = {"best": best, "verify": verify, "grade": {"kind": "grade"}, "last": {"kind": "stage_one", **last}}
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    told: list[str] = []
    require_ready(load_recipe(str(file)), None, replace(Servers({"best": solving(4)}).machine(), tell=told.append))
    (one,) = told
    assert said in one


def test_a_teacher_that_is_compared_and_never_asked_is_named_with_the_near_one(tmp_path: Path) -> None:
    """Trap: a misspelt name left an empty intersection, after everything was paid for."""
    file = recipe(tmp_path, {"good": asking("good"), "best": asking("best")}, ["good", "bset"])
    said: list[str] = []
    machine = Servers({name: solving(4) for name in ("good", "best")}).machine()
    require_ready(load_recipe(str(file)), None, replace(machine, tell=said.append))
    assert said == [
        "step 'intersect': no step asks 'bset', so that only published responses are its; did you mean 'best'? It has: "
        "good, best"
    ]


def test_an_intersection_of_what_nobody_verified_is_named(tmp_path: Path) -> None:
    """Trap: of two teachers that answered everything nothing was left."""
    common = {"kind": "intersect", "teachers": ["good", "best"]}
    steps = {"good": asking("good"), "best": asking("best"), "early": common}
    machine = Servers({name: solving(4) for name in ("good", "best")}).machine()
    for verified, told in ((True, 1), (False, 0)):
        file = recipe(tmp_path, {**steps, "early": {**common, "verified": verified}}, ["good", "best"])
        said: list[str] = []
        require_ready(load_recipe(str(file)), None, replace(machine, tell=said.append))
        assert (
            said == ["step 'early' goes by verdicts, and no step before it gives any: put a `verify` step there"][:told]
        )


@pytest.mark.parametrize(
    ("limit", "hour", "told"),
    [
        pytest.param(5.0, {"gpu_hour": 2.0}, True, id="an hour of a server that is up already"),
        pytest.param(None, {"gpu_hour": 2.0}, False, id="no limit"),
    ],
)
def test_a_limit_that_counts_nothing_of_a_server_is_named(
    limit: float | None, hour: dict[str, float], told: bool, tmp_path: Path
) -> None:
    """Trap: who serves it bills its hours, the run sees none of them, and the limit was never reached."""
    step = asking("good")
    step["teacher"]["model"]["serve"]["price"] = hour
    file = recipe(tmp_path, {"good": step})
    if limit:
        file.write_text(f"cost_limit: {limit}\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    said: list[str] = []
    require_ready(load_recipe(str(file)), None, replace(Servers({"good": solving(4)}).machine(), tell=said.append))
    assert [one.split(":")[0] for one in said] == (
        ["cost_limit counts nothing of 'good', which answers already"] if told else []
    )
