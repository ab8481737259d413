"""The trigger form: what each field says, what comes of it, and what is wrong said by the first task."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow.sdk.exceptions import DownstreamTasksSkipped

from tests.build.small import Small
from tests.dags.graphs import XCom, dag_file, ran
from tracemill.engine.store import Store
from tracemill.errors import RecipeError, ServingError, SourceError, TracemillError
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import on_socket
from tracemill.recipe import load_recipe
from tracemill_airflow.form import graphs
from tracemill_airflow.graph import stages_in
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.places import recipe_of, store_of
from tracemill_airflow.shelf import recipe_texts

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

SECRET = "sk-planted-form-51c7e0"
RECIPE: dict[str, Any] = {
    "name": "mine",
    "description": "d",
    "sources": [{"kind": "jsonl", "name": "mine", "path": "rows.jsonl", "columns": {"prompt": "q"}}],
    "steps": {
        "distill": {
            "kind": "distill",
            "teacher": {
                "kind": "chat",
                "sampling": {"max_tokens": 1000},
                "model": {
                    "name": "r1",
                    "api": {
                        "url": "http://127.0.0.1:9",
                        "model": "m",
                        "key": "${FORM_KEY}",
                        "price": {"input": 1, "output": 2},
                        "requests_per_minute": 10,
                    },
                },
            },
        },
        "select": {"kind": "select", "unverified": "keep"},
        "release": {"kind": "release"},
    },
}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of own recipes with rows beside them, and the key in the environment."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "rows.jsonl").write_text("".join(json.dumps({"q": f"Tell of {n}."}) + "\n" for n in range(30)))
    (folder / "mine.yaml").write_text(yaml.safe_dump(RECIPE, sort_keys=False))
    monkeypatch.setenv("TRACEMILL_RECIPES", str(folder))
    monkeypatch.setenv("FORM_KEY", SECRET)
    return folder


def test_every_field_of_every_dag_has_a_title_and_a_sentence(dagbag: DagBag) -> None:
    for name, dag in dagbag.dags.items():
        for field, value in dag.params.items():
            param = dag.params.get_param(field)
            assert param.schema.get("title"), f"{name}: {field}: {value}"
            assert (param.description or "").endswith("."), f"{name}: {field}"


def test_what_a_new_user_needs_is_open_and_all_else_in_named_sections(dagbag: DagBag) -> None:
    params = dagbag.dags["reasoning_distillation"].params
    sections = {field: params.get_param(field).schema.get("section") for field in params}
    assert [field for field, section in sections.items() if section is None] == ["recipe", "release", "rows", "dry_run"]


WRONG: dict[str, Any] = {"rows": -1, "release": "a b", "store": "no url", "recipe": "nothing", "shards_per_task": 1.5}


@pytest.mark.parametrize(("field", "value"), WRONG.items(), ids=WRONG)
def test_the_form_refuses_what_no_run_could_use(dagbag: DagBag, field: str, value: Any) -> None:
    param = dagbag.dags["reasoning_distillation"].params.get_param(field)
    with pytest.raises(Exception, match=r"(?s)Invalid input|is not|does not match|less than"):
        param.resolve(value)


KEYS: dict[str, tuple[str, bool]] = {
    "a variable": ('api: {url: u, key: "${MY_KEY}"}', True),
    "a variable, unquoted": ("api:\n  key: ${MY_KEY}\n  model: m", True),
    "none": ("api: {key: null}\nkey: ~\nkey: ''\nkey:\n", True),
    "columns that end in key": ("columns: {prompt: key, answer_key: gold}", True),
    "a key": ("api:\n  key: sk-abcdef012345", False),
    "a quoted key": ('api: {model: m, key: "sk-abcdef012345"}', False),
    "as JSON": ('{"api": {"key": "sk-abcdef012345"}}', False),
    "a key after a variable": ("a: {key: ${MY_KEY}}\nb: {key: sk-abcdef012345}", False),
}


@pytest.mark.parametrize(("pasted", "taken"), KEYS.values(), ids=KEYS)
def test_a_pasted_key_is_refused_before_there_is_a_run_that_would_hold_it(
    dagbag: DagBag, pasted: str, taken: bool
) -> None:
    param = dagbag.dags["reasoning_distillation"].params.get_param("recipe_yaml")
    if taken:
        assert param.resolve(pasted) == pasted
    else:
        with pytest.raises(Exception, match="does not match"):
            param.resolve(pasted)


FIELDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a recipe": ({}, "demo", "s3://c@b/x/demo/v1"),
    "a trial": ({"rows": 50}, "demo#rows=50", "s3://c@b/x/demo/v1/trials/rows-50"),
    "a pasted one": ({"recipe_yaml": "name: mine\nsteps: {}"}, "name: mine\nsteps: {}\n", "s3://c@b/x/mine/v1"),
    "a trial of it": (
        {"recipe_yaml": "{name: mine}", "rows": 5},
        "{name: mine}\n#rows=5",
        "s3://c@b/x/mine/v1/trials/rows-5",
    ),
    "pasted rubbish": ({"recipe_yaml": "}{"}, "}{\n", "s3://c@b/x/pasted/v1"),
    "blank": ({"recipe_yaml": "  \n", "rows": None}, "demo", "s3://c@b/x/demo/v1"),
}


@pytest.mark.parametrize(("more", "recipe", "store"), FIELDS.values(), ids=FIELDS)
def test_fields_become_a_recipe_and_a_root(more: dict[str, Any], recipe: str, store: str) -> None:
    params = {"recipe": "demo", "release": "v1", "store": "s3://c@b/x/", **more}
    assert (recipe_of(params), store_of(params)) == (recipe, store)


def test_recipes_that_are_dropped_appear_with_a_dag_of_their_own_if_they_need_one(shelf: Path) -> None:
    assert "mine" in graphs()[""][1]
    other = {**RECIPE, "steps": {"first": {"kind": "label"}, **RECIPE["steps"]}}
    (shelf / "other.yaml").write_text(yaml.safe_dump(other, sort_keys=False))
    assert graphs()["_other"][1] == ["other"]
    parsed = dag_file("reasoning_distillation")  # as Airflow parses it again every 30 s
    assert "mine" in parsed.reasoning_distillation.params.get_param("recipe").schema["enum"]
    assert parsed.reasoning_distillation_other.params["recipe"] == "other"
    assert (
        "other" in dag_file("recall").recalling("r", sorted(recipe_texts())).params.get_param("recipe").schema["enum"]
    )


SPOILT = [
    "steps: [",
    "steps: {a: {kind: nothing}}",
    "",
    "- 1",
    "steps: {a: 5}",
    "steps: {plan: {kind: label}}",
    "steps: {ingest: {kind: label}}",
    "steps: {a name: {kind: label}}",
    "steps: {1: {kind: label}}",
    "steps: {label: {kind: label}, refine: {kind: cluster}}",
    "steps: {first: {kind: label}, one: {kind: release}, two: {kind: release}}",
]


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_spoilt_recipe_spoils_no_other_and_is_told_by_its_first_task(shelf: Path, spoilt: str) -> None:
    """Trap: one bad file in the folder would take every DAG from the page."""
    (shelf / "bad.yaml").write_text(spoilt)
    assert {"mine", "demo"} <= set(graphs()[""][1])
    offered = {name for _, names in graphs().values() for name in names}
    assert "bad" in offered
    for file in ("reasoning_distillation", "refresh", "recall"):
        dag_file(file)
    with pytest.raises(RecipeError, match=r"bad\.yaml: "):
        planned(shelf, recipe="bad").execute({"ti": XCom()})  # type: ignore[typeddict-item]


def test_a_recipe_that_may_not_be_read_costs_no_other_and_is_told_by_its_first_task(shelf: Path) -> None:
    """Trap: a link to a folder that is not mounted took all own recipes from the form, and said nothing."""
    (shelf / "linked.yaml").symlink_to("/not/mounted/mine.yaml")
    (shelf / "folder.yaml").mkdir()
    offered = {name for _, names in graphs().values() for name in names}
    assert {"mine", "linked", "folder"} <= offered
    with pytest.raises(RecipeError, match=r"linked\.yaml: cannot be read.*No such file"):
        planned(shelf, recipe="linked").execute({"ti": XCom()})  # type: ignore[typeddict-item]


def test_a_demo_of_ones_own_that_is_spoilt_leaves_the_graphs(shelf: Path) -> None:
    (shelf / "demo.yaml").write_text("steps: [")
    assert graphs()[""][1][0] == "demo"


def test_a_folder_that_is_not_there_leaves_the_shipped_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEMILL_RECIPES", "/nowhere/at/all")
    assert "demo" in graphs()[""][1]


def test_a_prefix_that_is_away_still_offers_what_it_had(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/forms/far.yaml", yaml.safe_dump(RECIPE, sort_keys=False).encode())
    monkeypatch.setenv("TRACEMILL_RECIPES", "memory://forms")
    monkeypatch.setenv("TRACEMILL_CACHE", str(tmp_path / "cache"))
    assert "far" in recipe_texts()
    memory.rm("/forms", recursive=True)
    monkeypatch.setenv("TRACEMILL_RECIPES", "memory://forms")
    assert "far" in recipe_texts()


def planned(shelf: Path, recipe: str = "mine", **settings: Any) -> PlanOperator:
    stages = ["plan", "ingest", *RECIPE["steps"]]
    store = (shelf.parent / "store").as_uri()
    return PlanOperator(task_id="plan", recipe=recipe, store_url=store, stages=stages, **settings)


def wrong(change: str, value: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(RECIPE))
    *path, key = change.split("/")
    node = made
    for part in path:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[key] = value
    return made


API = "steps/distill/teacher/model/api"
FAULTS: dict[str, tuple[str, Any, type[TracemillError], str]] = {
    "a variable": (f"{API}/key", "${NOT_SET}", RecipeError, "the environment variable NOT_SET is not set"),
    "a key itself": (f"{API}/key", SECRET, RecipeError, r"write \$\{NAME\}"),
    "a file": ("sources/0/path", "gone.jsonl", SourceError, "gone.jsonl"),
    "a column": ("sources/0/columns/prompt", "p", SourceError, "column 'p' is missing"),
    "a kind": ("sources/0/kind", "jsnl", RecipeError, "did you mean 'jsonl'"),
    "an endpoint": (f"{API}/url", "http://127.0.0.1:9", ServingError, "does not answer"),
}


@pytest.mark.parametrize(("change", "value", "error", "said"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_fails_in_the_first_task_in_one_sentence(
    shelf: Path, change: str, value: Any, error: type[TracemillError], said: str
) -> None:
    (shelf / "mine.yaml").write_text(yaml.safe_dump(wrong(change, value), sort_keys=False))
    with on_socket(FakeServer()) as served:
        if not change.endswith("url"):
            there = (shelf / "mine.yaml").read_text().replace("http://127.0.0.1:9", served.url)
            (shelf / "mine.yaml").write_text(there)
        with pytest.raises(error, match=said) as caught:
            planned(shelf).execute({"ti": XCom()})  # type: ignore[typeddict-item]
    assert SECRET not in str(caught.value)


def test_a_dry_run_says_what_it_would_take_and_leaves_nothing(shelf: Path) -> None:
    with on_socket(FakeServer()) as served:
        (shelf / "mine.yaml").write_text(yaml.safe_dump(wrong(f"{API}/url", served.url), sort_keys=False))
        ti = XCom()
        with pytest.raises(DownstreamTasksSkipped):
            planned(shelf).execute({"ti": ti, "params": {"dry_run": True}})  # type: ignore[typeddict-item]
        assert served.fake.generated == []
    first, distill, last = ti.pushed["estimate"]
    assert first == "Recipe mine: 30 rows in 1 shards."
    assert "at most 30 requests to r1" in distill
    assert "30,000 out, 0.0601 USD, about 3 minutes (assumed)" in distill
    assert last == "In all at most 30 requests, about 3 minutes, 0.0601 USD. Nothing was made or paid."
    assert not (shelf.parent / "store").exists()


def test_a_planted_key_is_in_no_conf_xcom_log_store_or_process_list(
    dagbag: DagBag, shelf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole graph, with a pasted recipe, at a server that answers."""
    made = Small(shelf)
    with on_socket(FakeServer(say=lambda prompt, _: f"<think>{prompt}</think>said")) as served:
        pasted = yaml.safe_dump(wrong(f"{API}/url", served.url), sort_keys=False)
        dag = dag_file("reasoning_distillation").distillation("planted", stages_in(pasted), ["mine"])
        listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
        states = ran(dag, made, recipe="mine", recipe_yaml=pasted, rows=10)
        assert len(served.fake.generated) == 10
    assert set(states.values()) <= {"success", "skipped"}
    home = Path(os.environ["AIRFLOW_HOME"])
    kept = [path for place in (shelf, home) for path in place.rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []
    said = capfd.readouterr()
    assert SECRET not in said.out + said.err + listed
    assert Store.at(f"{shelf}/mine/v1/trials/rows-10").manifest("release", 0) is not None
    assert load_recipe("mine").name == "mine"
