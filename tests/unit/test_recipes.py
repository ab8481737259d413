"""The recipes that come with tracemill are whole: they load, and a step's tables are written before it reads them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tracemill.engine.step import Step
from tracemill.errors import RecipeError
from tracemill.ingest.datasets.base import DatasetSource
from tracemill.recipe import load_recipe, parse_recipe, recipe_names


def test_the_recipes_are_there() -> None:
    assert {"demo", "real_sample", "am_1_4m", "deepdistill_40m"} <= set(recipe_names())


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_loads_and_names_its_sources_once(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    names = [source.name for source in recipe.sources]
    assert len(set(names)) == len(names)


# A step that judges can do without these; nobody can without the others.
OPTIONAL = {
    "opinions",
    "continuations",
    "measurements",
    "rewards",
    "verdicts",
    "duplicates",
    "labels",
    "annotations",
    "scores",
    "grades",
    "perplexities",
    "contamination",
    "mutants",
    "curves",  # of a student that a later training goes on from
    "priors",  # of a policy that needs a pilot, which the recipe then demands
    "forecasts",  # of a pilot that makes one
}


@pytest.mark.parametrize("name", recipe_names())
def test_what_a_step_reads_was_written_before(name: str) -> None:
    written = {"ledger"}
    for step_name, step in load_recipe(name).pipeline().items():
        assert isinstance(step, Step)
        missing = set(step.reads) - written - OPTIONAL - {"conflicts", "cuts", "prechecks"}
        assert not missing, f"{step_name} reads {missing}"
        written |= set(step.writes)


def test_am_1_4m_has_the_twenty_sources_of_the_paper() -> None:
    sources = load_recipe("am_1_4m").sources
    repos = {source.repo for source in sources if isinstance(source, DatasetSource)}
    assert len(repos) == 20
    assert len(sources) == 21  # OpenR1-Math in two configurations


def test_deepdistill_samples_twelve_traces_a_query() -> None:
    steps = load_recipe("deepdistill_40m").steps
    teachers = [step.teacher for name, step in steps.items() if name.startswith("distill_")]  # type: ignore[union-attr]
    assert [teacher.samples for teacher in teachers] == [4, 4, 4]


SOURCE = {"kind": "jsonl", "name": "s", "path": "s.jsonl", "columns": {"prompt": "q"}}


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        pytest.param({"kind": "code"}, {"kind": "code"}, False, id="the-same"),
        pytest.param({"kind": "code"}, {"kind": "code", "max_tests": 10}, True, id="other-settings"),
        pytest.param({"kind": "code"}, {"kind": "code", "sandbox": {"workers": 7}}, False, id="other-machine"),
        pytest.param({"kind": "code"}, {"kind": "math"}, False, id="another-verifier"),
    ],
)
def test_a_verifier_has_the_same_settings_in_all_steps(
    first: dict[str, object], second: dict[str, object], refused: bool
) -> None:
    steps = {name: {"kind": "verify", "verifiers": [one]} for name, one in (("before", first), ("after", second))}
    data = {"name": "r", "description": "", "sources": [SOURCE], "steps": steps}
    if refused:
        with pytest.raises(RecipeError, match="steps 'before' and 'after' give verifier 'code' different settings"):
            parse_recipe(data, "r")
    else:
        assert parse_recipe(data, "r").steps.keys() == steps.keys()


AGAINST = {"kind": "decontaminate", "embedder": {"kind": "hashing"}, "benchmarks": [
    {"name": "b", "path": "b.jsonl", "field": "q", "id_field": "id"}]}  # fmt: skip
SIGN = {"kind": "sign", "embedder": {"kind": "hashing"}}


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        pytest.param({"known": AGAINST}, True, id="no-sign"),
        pytest.param({"known": AGAINST, "sign": SIGN}, True, id="sign-too-late"),
        pytest.param({"marks": SIGN, "known": AGAINST}, False, id="sign-of-another-name"),
        pytest.param({"known": {**AGAINST, "embedding": None}}, False, id="no-embedding-rule"),
    ],
)
def test_vectors_that_no_step_makes_are_missed_when_the_recipe_is_read(
    tmp_path: Path, steps: dict[str, object], refused: bool
) -> None:
    file = tmp_path / "r.yaml"
    data = {"name": "r", "description": "", "sources": [SOURCE], "steps": steps}
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    if refused:
        with pytest.raises(RecipeError, match=r"steps\.known: .* no step of kind sign before it"):
            load_recipe(str(file))
    else:
        assert load_recipe(str(file)).steps.keys() == steps.keys()


def test_a_source_that_a_distil_step_asks_for_and_that_there_is_not_is_refused() -> None:
    teacher = {"kind": "chat", "model": {"name": "m", "weights": "./m"}}
    steps = {"distill": {"kind": "distill", "teacher": teacher, "sources": ["sourse"]}}
    source = {**SOURCE, "name": "source"}
    with pytest.raises(RecipeError, match="there is no 'sourse'; did you mean 'source'"):
        parse_recipe({"name": "r", "description": "", "sources": [source], "steps": steps}, "r")


def test_the_papers_evaluation_has_their_samples_and_limits() -> None:
    steps = load_recipe("evaluate_papers").steps
    asked = {source: step.teacher.samples for step in steps.values() for source in getattr(step, "sources", ())}  # type: ignore[union-attr]
    assert (asked["aime_2024"], asked["livecodebench"], asked["math_500"]) == (64, 16, 4)
    assert set(asked) == {source.name for source in load_recipe("evaluate_papers").sources}


VERIFY = {"kind": "verify", "verifiers": [{"kind": "math"}]}
GRADE = {"kind": "grade"}
ONE = {"kind": "stage_one"}
TWO = {"kind": "stage_two"}
CUT = {"kind": "cut", "metric": "reward", "quantile": 0.1}


def exporting(**one: object) -> dict[str, object]:
    return {"kind": "export", "sets": {"mine": one}}


def in_order(*steps: dict[str, object]) -> dict[str, object]:
    """A recipe of these steps."""
    source = {"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math"}
    named = {f"s{n}": step for n, step in enumerate(steps)}
    return {"name": "in_order", "description": "", "sources": [source], "steps": named}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param([VERIFY, ONE], "'s1' selects by scores, which no step before it gives", id="nothing-graded"),
        pytest.param([VERIFY, TWO, GRADE], "'s1' selects by scores, which no step", id="graded-too-late"),
        pytest.param([VERIFY, GRADE, {**GRADE, "strict": True}, ONE], "'s3' finds two `grade` steps", id="twice"),
        pytest.param([{"kind": "drop_phrases"}], "'s0' drops phrases that no step before it looks for", id="phrases"),
        pytest.param([CUT, {"kind": "gate", "metric": "score"}], "'s1' applies a cut of score that no", id="cut"),
        pytest.param([VERIFY, exporting(kind="pairs")], "'s1' makes the set 'mine', which needs a step of kind grade",
                     id="pairs-of-nothing"),
        pytest.param([VERIFY, GRADE, exporting(kind="sft")], "needs a step of kind stage_one", id="no-stage"),
        pytest.param([VERIFY, GRADE, ONE, exporting(kind="sft", stage=2)], "needs a step of kind stage_two",
                     id="the-other-stage"),
    ],
)  # fmt: skip
def test_a_step_whose_material_nobody_makes_is_refused_when_the_recipe_is_read(
    steps: list[dict[str, object]], said: str
) -> None:
    """Trap: they failed, or turned every row away, once everything was paid."""
    with pytest.raises(RecipeError, match=re.escape(said)):
        parse_recipe(in_order(*steps), "test")


@pytest.mark.parametrize(
    "steps",
    [
        [VERIFY, GRADE, ONE, TWO, exporting(kind="sft", stage=2)],
        [VERIFY, GRADE, TWO, exporting(kind="rlvr")],
        [CUT, {"kind": "gate", "metric": "reward"}],
        [{"kind": "phrases"}, {"kind": "drop_phrases"}],
    ],
)
def test_steps_in_their_order_are_a_recipe(steps: list[dict[str, object]]) -> None:
    assert len(parse_recipe(in_order(*steps), "test").steps) == len(steps)


def fitting(select: dict[str, object], *before: dict[str, object]) -> dict[str, object]:
    """A recipe that measures so and then selects so."""
    source = {"kind": "demo", "name": "demo_maths", "part": "maths", "category": "math"}
    model = {"weights": "org/m", "revision": "1"}
    steps: dict[str, object] = {
        f"p{n}": {"kind": "perplexity", "model": {"name": f"m{n}", **model}, **one} for n, one in enumerate(before)
    }
    steps["select"] = {"kind": "select", **select}
    return {"name": "fitting", "description": "", "sources": [source], "steps": steps}


@pytest.mark.parametrize(
    ("select", "before"),
    [
        pytest.param({"by": "rsr"}, [], id="by what nobody measures"),
        pytest.param({"by": "rsr"}, [{}], id="perplexity alone gives no ratio"),
        pytest.param({"by": "rsr", "measurer": "m0"}, [{}, {"rsr": True}], id="the ratio under another model"),
        pytest.param({"by": "perplexity", "measurer": "m7"}, [{}], id="a model that is not there"),
    ],
)
def test_a_choice_by_a_number_that_nobody_measures_is_refused_when_the_recipe_is_read(
    select: dict[str, object], before: list[dict[str, object]]
) -> None:
    with pytest.raises(RecipeError, match="which no step before it measures: put a `perplexity` step"):
        parse_recipe(fitting(select, *before), "here")


@pytest.mark.parametrize(
    "select",
    [{"by": "rsr"}, {"by": "rsr", "measurer": "m1"}, {"by": "perplexity", "measurer": "m0"}, {"by": "shortest"}],
    ids=str,
)
def test_a_choice_by_a_number_that_is_measured_is_let_through(select: dict[str, object]) -> None:
    parse_recipe(fitting(select, {}, {"rsr": True}), "here")


def test_a_choice_by_what_two_models_measure_is_refused_when_the_recipe_is_read() -> None:
    """Trap: it failed in its own step, when both had measured everything."""
    with pytest.raises(RecipeError, match="selects by perplexity, which m0 and m1 measure: say with `measurer`"):
        parse_recipe(fitting({"by": "perplexity"}, {}, {"rsr": True}), "here")
