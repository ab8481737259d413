"""Every DAG parses, follows the house's policy, and knows the stages that the recipes name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from airflow.sdk.definitions.mappedoperator import MappedOperator

from tests.dags.graphs import dag_file
from tracemill.recipe import load_recipe, recipe_names
from tracemill_airflow.graph import fits, stages_of
from tracemill_airflow.operators.base import RETRY_THE_WORLD_ONLY

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


def offering(dagbag: DagBag, recipe: str) -> DAG:
    """The one distillation DAG whose form offers that recipe."""
    graphs = [dag for name, dag in dagbag.dags.items() if name.startswith("reasoning_distillation")]
    (found,) = [dag for dag in graphs if recipe in dag.params.get_param("recipe").schema["enum"]]
    return found


def test_every_file_of_the_dags_folder_parses(dagbag: DagBag) -> None:
    assert dagbag.import_errors == {}
    assert "reasoning_distillation" in dagbag.dags


def test_every_dag_is_described_tagged_and_does_not_catch_up(dagbag: DagBag) -> None:
    for name, dag in dagbag.dags.items():
        assert dag.tags, name
        assert dag.doc_md, name
        assert not dag.catchup, name


def test_a_faulty_world_is_retried_but_a_bad_recipe_is_not(dagbag: DagBag) -> None:
    for task in dagbag.dags["reasoning_distillation"].tasks:
        assert task.retries >= 1, task.task_id
        policy = task.partial_kwargs["retry_policy"] if task.is_mapped else task.retry_policy
        assert policy is not None, task.task_id


def test_dedup_distillation_verification_and_release_are_operators_of_their_own(dagbag: DagBag) -> None:
    classes = {task.operator_name for task in dagbag.dags["reasoning_distillation"].tasks}
    wanted = {"ClusterOperator", "VerifyMathOperator", "VerifyCodeOperator", "SelectOperator", "ReleaseOperator"}
    assert wanted <= classes


@pytest.mark.parametrize("name", recipe_names())
def test_a_dag_runs_every_stage_that_the_recipe_names_in_the_recipes_order(dagbag: DagBag, name: str) -> None:
    order = [re.sub(r"^\w+\.", "", task.task_id) for task in offering(dagbag, name).topological_sort()]
    stages = list(load_recipe(name).pipeline())
    assert [stage for stage in order if stage in stages] == stages


@pytest.mark.parametrize("name", recipe_names())
def test_gather_stages_are_one_task_and_map_stages_are_mapped(dagbag: DagBag, name: str) -> None:
    shapes = {stage: step.shape for stage, step in load_recipe(name).pipeline().items()}
    for task in offering(dagbag, name).tasks:
        stage = re.sub(r"^\w+\.", "", task.task_id)
        if stage in shapes:
            assert (task.get_closest_mapped_task_group() is None) == (shapes[stage] == "gather"), stage


def test_model_servers_wait_for_their_turn_in_the_pool_that_the_scheduler_sees(dagbag: DagBag) -> None:
    """Trap: what the constructor of a mapped task sets is unknown until it runs; the pool must be in `partial`."""
    serve = dagbag.dags["reasoning_distillation"].get_task("serve")
    assert (serve.pool, serve.queue) == ("gpu", "gpu")


@pytest.mark.parametrize(("dag", "task"), [("reasoning_distillation", "serve"), ("recall", "scan")])
def test_a_mapped_task_retries_only_what_may_mend_itself(dagbag: DagBag, dag: str, task: str) -> None:
    mapped = dagbag.dags[dag].get_task(task)
    assert isinstance(mapped, MappedOperator)
    assert mapped.partial_kwargs["retry_policy"] is RETRY_THE_WORLD_ONLY


JUDGE = {"model": {"name": "tiny", "weights": "org/tiny", "revision": "abc"}}
SERVED: dict[str, tuple[dict[str, object], bool]] = {
    "decontaminate names a judge": ({"judge": JUDGE}, True),
    "decontaminate names none": ({}, False),
    "its judge is null": ({"judge": None}, False),
}


def decontaminating(folder: Path, settings: dict[str, object]) -> Path:
    """A recipe file in which no other stage could ask a model."""
    benchmarks = [{"name": "b", "path": "b.jsonl", "field": "q"}]
    embedder = {"kind": "hashing"}
    step = {"kind": "decontaminate", "benchmarks": benchmarks, "embedder": embedder, **settings}
    steps = {"sign": {"kind": "sign", "embedder": embedder}, "decontaminate": step, "release": {"kind": "release"}}
    path = folder / "judged.yaml"
    path.write_text(yaml.safe_dump({"name": "judged", "steps": steps}))
    return path


@pytest.mark.parametrize(("settings", "served"), SERVED.values(), ids=SERVED)
def test_a_recipe_gets_a_serve_task_where_its_settings_ask_a_model(
    dagbag: DagBag, tmp_path: Path, settings: dict[str, object], served: bool
) -> None:
    stages = stages_of(decontaminating(tmp_path, settings))
    dag = dag_file("reasoning_distillation").distillation("judged", stages, ["judged"])
    assert ("serve" in dag.task_ids) == served
    assert ("servers" in dag.task_ids) == served


def test_a_recipe_that_asks_fits_a_graph_that_serves_whatever_stage_that_is_for(tmp_path: Path) -> None:
    judged = stages_of(decontaminating(tmp_path, {"judge": JUDGE}))
    silent = stages_of(decontaminating(tmp_path, {}))
    assert fits(silent, judged)
    assert not fits(judged, silent)
    serving = [stage._replace(asks=stage.name == "release") for stage in silent]
    assert fits(judged, serving)


def test_the_graph_knows_which_verifiers_run_programs() -> None:
    """Trap: the graph repeats it, so that parsing a DAG file loads no verifier."""
    from typing import get_args

    from tracemill.verify import AnyVerifier
    from tracemill_airflow.operators.stages import NEED_SANDBOX

    verifiers = get_args(get_args(AnyVerifier)[0])
    named = {get_args(one.model_fields["kind"].annotation)[0] for one in verifiers if one.needs_sandbox}
    assert named == NEED_SANDBOX


def test_every_step_has_one_operator() -> None:
    """Trap: a step without an operator is refused only when a DAG with it is parsed."""
    from typing import get_args

    from tracemill.recipe import AnyStep
    from tracemill_airflow.operators.stages import STAGES

    kinds = {get_args(step.model_fields["kind"].annotation)[0] for step in get_args(get_args(AnyStep)[0])}
    operators = [operator.of_kind() for operator in STAGES]
    assert {*operators} == {"ingest", *kinds}
    assert {kind for kind in operators if operators.count(kind) > 1} == {"verify"}
    gather = {
        get_args(s.model_fields["kind"].annotation)[0] for s in get_args(get_args(AnyStep)[0]) if s.shape == "gather"
    }
    assert {operator.of_kind() for operator in STAGES if operator.gathers} == gather
