"""The few calls to Airflow's REST API (v2) that start a run and follow it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

FINISHED = {"success", "failed"}
AWAY = 300.0  # seconds that the server may be away while a run is followed


class RunFailed(RuntimeError):
    """A run could not be started, or ended badly; the text names the tasks and where to look."""


@dataclass(frozen=True)
class TaskState:
    """One task instance as Airflow sees it now."""

    task: str
    map_index: int
    state: str | None
    tries: int


class AirflowRest:
    """A logged-in client of one Airflow server."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        token = httpx.post(f"{url}/auth/token", json={"username": username, "password": password}, timeout=60)
        token.raise_for_status()
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        self._http = httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=60)

    def _get(self, path: str, **params: Any) -> Any:
        answer = self._http.get(path, params=params)
        answer.raise_for_status()
        return answer.json()

    def await_dag(self, dag: str, seconds: float = 120) -> None:
        """Wait until the DAG is parsed. Raises RunFailed with Airflow's import errors when it is not."""
        end = time.monotonic() + seconds
        while self._http.get(f"/dags/{dag}").status_code != 200:
            errors = self._get("/importErrors")["import_errors"]
            if errors or time.monotonic() > end:
                text = "\n".join(f"{e['filename']}:\n{e['stack_trace']}" for e in errors)
                raise RunFailed(f"Airflow does not know the DAG {dag!r}. {text}")
            time.sleep(0.5)

    def ensure_pool(self, name: str, slots: int) -> None:
        """Make the pool if there is none of that name; an existing one keeps its size."""
        if self._http.get(f"/pools/{name}").status_code == 404:
            self._http.post("/pools", json={"name": name, "slots": slots}).raise_for_status()

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run; returns its id. Raises RunFailed with Airflow's words when a parameter is refused."""
        self._http.patch(
            f"/dags/{dag}", params={"update_mask": "is_paused"}, json={"is_paused": False}
        ).raise_for_status()
        answer = self._http.post(f"/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
        if answer.status_code >= 400:
            raise RunFailed(f"Airflow refused the run: {answer.text}")
        return str(answer.json()["dag_run_id"])

    def run(self, dag: str, run: str) -> dict[str, Any]:
        """The run's record: state, start_date, end_date, ..."""
        record: dict[str, Any] = self._get(f"/dags/{dag}/dagRuns/{run}")
        return record

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        """The states of all task instances of a run."""
        found = self.instances(dag, run)
        return [TaskState(t["task_id"], t["map_index"], t["state"], t["try_number"]) for t in found]

    def instances(self, dag: str, run: str) -> list[dict[str, Any]]:
        """All task instances of a run as Airflow tells them, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._get(f"/dags/{dag}/dagRuns/{run}/taskInstances", limit=100, offset=len(found))
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def asked(self, dag: str, run: str) -> list[dict[str, Any]]:
        """What tasks of a run ask people just now, as the page *Required actions* shows it."""
        page = self._get(f"/dags/{dag}/dagRuns/{run}/hitlDetails", response_received=False)
        found: list[dict[str, Any]] = page["hitl_details"]
        return found

    def answer(self, dag: str, run: str, asked: dict[str, Any], option: str, fields: dict[str, Any]) -> None:
        """Answer one of them."""
        task = asked["task_instance"]
        place = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task['task_id']}/{task['map_index']}/hitlDetails"
        self._http.patch(place, json={"chosen_options": [option], "params_input": fields}).raise_for_status()

    def follow(self, dag: str, run: str, every: float = 1.0, seldom: float = 0.0) -> Iterator[list[TaskState]]:
        """The states of all tasks again and again until the run ends; a server that is briefly away is waited for.

        The longer nothing changes, the rarer the server is asked, down to once in `seldom` seconds.
        """
        heard = changed = time.monotonic()
        known: list[TaskState] = []
        while True:
            try:
                state = self.run(dag, run)["state"]
                tasks = self.tasks(dag, run)
            except httpx.TransportError:
                if time.monotonic() - heard > AWAY:
                    raise
                continue
            heard = time.monotonic()
            changed = changed if tasks == known else heard
            known = tasks
            yield tasks
            if state in FINISHED:
                return
            time.sleep(max(every, min(seldom, (heard - changed) / 10)))

    def result(self, dag: str, run: str, task: TaskState, key: str = "return_value") -> Any:
        """What a task returned."""
        return self._get(_xcom(dag, run, task, key), map_index=task.map_index)["value"]

    def summary(self, dag: str, run: str, task: TaskState) -> Any:
        """A stage's counts: what its task returned, or kept beside the batches that it returned."""
        answer = self._http.get(_xcom(dag, run, task, "summary"), params={"map_index": task.map_index})
        return self.result(dag, run, task) if answer.status_code == 404 else answer.raise_for_status().json()["value"]


def _xcom(dag: str, run: str, task: TaskState, key: str) -> str:
    return f"/dags/{dag}/dagRuns/{run}/taskInstances/{task.task}/xcomEntries/{key}"
