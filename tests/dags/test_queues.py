"""No task waits for ever: every queue has a worker in docker-compose.yaml, and what nobody serves is refused."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.cluster import small
from benchmarks.cluster.compose import services
from tests.build.secrets import SECRET_VALUES
from tests.dags.graphs import dag_file
from tracemill.engine import processors
from tracemill.errors import RecipeError
from tracemill.sandbox.base import SandboxUnavailable
from tracemill_airflow import queues
from tracemill_airflow.operators.plan import PlanOperator
from tracemill_airflow.operators.sandbox import SandboxOperator
from tracemill_airflow.operators.stages import SignOperator, VerifyCodeOperator

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture
def celery(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the cluster, with a broker that has no worker."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "memory://")
    monkeypatch.setattr(queues, "LOOKS", (0.1,))


def dags(name: str) -> list[DAG]:
    from airflow.sdk import DAG

    return [dag for dag in vars(dag_file(name)).values() if isinstance(dag, DAG)]


@pytest.mark.parametrize("file", ["reasoning_distillation", "evaluate", "refresh", "recall"])
def test_every_queue_that_a_dag_names_has_a_worker_in_the_file(file: str, celery: None) -> None:
    served = {queue for service in services(SECRET_VALUES).values() for queue in service.queues}
    named = {task.queue for dag in dags(file) for task in dag.tasks}
    assert named
    assert named <= served


def test_programs_run_on_the_sandboxs_queue_alone_and_nothing_else_does(celery: None) -> None:
    for dag in dags("reasoning_distillation"):
        found = {task.operator_name for task in dag.tasks if task.queue == queues.SANDBOX}
        assert found <= {"VerifyCodeOperator", "PrecheckOperator", "SandboxOperator", "BesideProgramsOperator"}
        assert all(task.queue == queues.SANDBOX for task in dag.tasks if task.operator_name == "VerifyCodeOperator")


def test_with_workers_of_their_own_the_sandbox_is_tried_beside_the_first_stages(celery: None, dagbag: DagBag) -> None:
    (dag,) = [dag for dag in dags("reasoning_distillation") if dag.dag_id == "reasoning_distillation"]
    (tried,) = [task for task in dag.tasks if task.operator_name == "SandboxOperator"]
    assert tried.upstream_task_ids == {"plan"}
    assert tried.downstream_task_ids == {"cluster"}
    alone = dagbag.dags["reasoning_distillation"].tasks
    assert [task for task in alone if task.operator_name == "SandboxOperator"] == [], "there plan tries it"


def test_queues_without_a_worker_are_named_in_order(celery: None) -> None:
    assert queues.without_worker({"gpu", "sandbox"}) == ["gpu", "sandbox"]
    assert queues.without_worker(()) == []


def test_only_celery_has_queues() -> None:
    assert queues.without_worker({"gpu"}) == []


def refused(recipe: str, store: Path, stage: str = "distill") -> str:
    """What the first task of the first DAG that has the stage says of a recipe."""
    having = [dag for dag in dags("reasoning_distillation") if any(stage in task.task_id for task in dag.tasks)]
    dag = having[0]
    plan = dag.get_task("plan")
    assert isinstance(plan, PlanOperator)
    plan.recipe, plan.store_url = recipe, store.as_uri()
    with pytest.raises(RecipeError, match="no worker serves") as raised:
        plan.execute({"params": {}})
    return str(raised.value)


def test_the_first_task_refuses_programs_that_no_worker_can_run(
    celery: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEMILL_DATA", str(tmp_path))
    monkeypatch.setenv("TRACEMILL_RECIPES", str(tmp_path))  # the DAG has the stages of the recipes that it finds
    said = refused(str(small.write(tmp_path, tmp_path)), tmp_path / "store", small.PROGRAMS)
    assert "the queue 'sandbox'" in said
    assert "docker compose up --detach worker-sandbox" in said
    assert "\n" not in said


def test_it_refuses_models_that_no_worker_can_serve(celery: None, tmp_path: Path) -> None:
    assert "the queue 'gpu', 'sandbox'" in refused("demo", tmp_path / "store")


class Models(BaseHTTPRequestHandler):
    """A server that has every model of the recipe `demo`."""

    names = ("teacher-small", "judge", "reward")

    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": name} for name in self.names]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_model_with_an_endpoint_needs_no_gpu(celery: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Models) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        up = {name: [{"url": url, "model": name}] for name in Models.names}
        monkeypatch.setenv("TRACEMILL_ENDPOINTS", json.dumps(up))
        said = refused("demo", tmp_path / "store")
        server.shutdown()
    assert "the queue 'sandbox', which" in said


def test_a_worker_that_cannot_shut_programs_in_fails_the_task_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracemill.local import sandboxes

    def refused(recipe: Any) -> list[str]:
        raise SandboxUnavailable("no namespaces here")

    monkeypatch.setattr(sandboxes, "try_sandboxes", refused)
    with pytest.raises(SandboxUnavailable, match="no namespaces here"):
        SandboxOperator(task_id="sandbox", recipe="demo").execute({})


def test_tasks_of_a_worker_divide_its_processors(celery: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "processors", lambda: 8)
    monkeypatch.setenv("AIRFLOW__CELERY__WORKER_CONCURRENCY", "4")
    assert SignOperator(task_id="some").machine().workers == 2
    assert SignOperator(task_id="some", workers=5).machine().workers == 5
    monkeypatch.setenv("AIRFLOW__CELERY__WORKER_CONCURRENCY", "16")
    assert SignOperator(task_id="some").machine().workers == 1
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    assert SignOperator(task_id="some").machine().workers == 8


def test_a_task_that_runs_programs_has_all_processors(celery: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: one shard held most programs, and ran them on half of the processors while the other half had nothing."""
    monkeypatch.setattr(processors, "processors", lambda: 8)
    monkeypatch.setenv("AIRFLOW__CELERY__WORKER_CONCURRENCY", "4")
    assert VerifyCodeOperator(task_id="some").machine().workers == 8
    assert VerifyCodeOperator(task_id="some", workers=5).machine().workers == 5


def test_one_that_can_says_how() -> None:
    found = SandboxOperator(task_id="sandbox", recipe="demo").execute({})
    assert found["isolation"][0].startswith("namespace/")
    assert VerifyCodeOperator(task_id="verify_code").queue == "sandbox"
