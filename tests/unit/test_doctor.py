"""What `tracemill doctor` says of a machine: every finding has a remedy, and no secret is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracemill.cli import app
from tracemill.cli.checks import Check, checks
from tracemill.cli.surroundings import surroundings
from tracemill.engine.resources import Resources
from tracemill.engine.variables import VARIABLES

PROJECT = Path(__file__).resolve().parents[2]
SECRET = "hunter2hunter2"
OFFLINE = {"HF_HUB_OFFLINE": "1"}


def around(**environment: str) -> dict[str, Check]:
    return {one.name: one for one in surroundings(Resources(environment={**OFFLINE, **environment}))}


def test_what_is_amiss_says_what_to_do_about_it() -> None:
    found = [*checks(Resources(environment=OFFLINE)), *around().values()]
    assert {"Python", "memory", "sandbox", "Docker", "C++", "GPU", "vLLM", "Hub"} <= {one.name for one in found}
    assert [one.name for one in found if one.state == "broken" and not one.remedy] == []


AWS = {"conn_type": "aws", "login": "who", "password": SECRET, "extra": {"endpoint_url": "http://127.0.0.1:1"}}


@pytest.mark.parametrize(
    ("variables", "name", "state", "says"),
    [
        pytest.param({"AIRFLOW_CONN_STORE": json.dumps(AWS)}, "connection store", "broken", "127.0.0.1:1", id="down"),
        pytest.param({"AIRFLOW_CONN_TEAM": f'{{"password": "{SECRET}"'}, "connection team", "broken", "", id="no JSON"),
        pytest.param({"AIRFLOW_CONN_TEAM": f"smtp://me:{SECRET}@host"}, "connection team", "yes", "smtp", id="a URI"),
        pytest.param({"TRACEMILL_API_KEY": SECRET}, "settings", "yes", "TRACEMILL_API_KEY=(set)", id="a key"),
        pytest.param({"HF_TOKEN": SECRET}, "settings", "yes", "HF_TOKEN=(set)", id="the Hub's key"),
        pytest.param({"TRACEMILL_STORE": f"s3://a:{SECRET}@b/c"}, "settings", "yes", "s3://b/c", id="login in a URL"),
        pytest.param({"TRACEMILL_ENDPOINTS": f'{{"m": "{SECRET}"}}'}, "model servers", "broken", "", id="endpoints"),
        pytest.param({"TRACEMILL_MODELS": "/no/such"}, "TRACEMILL_MODELS", "broken", "/no/such", id="no folder"),
        pytest.param({"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:1"}, "Hub", "no", ":1", id="no Hub"),
    ],
)
def test_surroundings_are_told_without_their_secrets(
    variables: dict[str, str], name: str, state: str, says: str
) -> None:
    found = around(**variables)
    assert found[name].state == state
    assert says in found[name].said
    assert not [one for one in found.values() if SECRET in one.said + one.remedy]


def test_stores_are_those_of_the_place_that_is_set(tmp_path: Path) -> None:
    (tmp_path / "demo" / "v1").mkdir(parents=True)
    (tmp_path / "demo" / "v1" / "recipe.json").write_text("{}")
    assert around(TRACEMILL_STORE=tmp_path.as_uri())["stores"].said == str(tmp_path / "demo" / "v1")
    assert around(TRACEMILL_STORE=str(tmp_path / "none"))["stores"].state == "no"


def test_the_exit_status_says_whether_the_demo_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TRACEMILL_VLLM_PYTHON", "/no/such/python")
    result = CliRunner().invoke(app, ["doctor", "--json"])
    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert said["demo"] is False
    (vllm,) = (one for one in said["checks"] if one["name"] == "vLLM")
    assert (vllm["state"], vllm["needed"]) == ("no", True)
    assert "make vllm" in vllm["remedy"]


def test_recipes_that_are_not_there_are_one_line_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: the whole page ended in what it should have listed."""
    for name, value in {"HF_HUB_OFFLINE": "1", "TRACEMILL_RECIPES": "/no/such", "TRACEMILL_ENDPOINTS": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRACEMILL_VLLM_PYTHON", "/no/such/python")
    said = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    broken = {one["name"]: one["remedy"] for one in said["checks"] if one["state"] == "broken"}
    assert "make it, or unset TRACEMILL_RECIPES" in broken["recipes"]
    assert "model servers" in broken


def test_every_variable_that_is_read_is_documented() -> None:
    """Trap: a variable that only its reader knows."""
    named: set[str] = set()
    for folder in ("include/tracemill", "include/recipes", "plugins", "dags"):
        for path in (PROJECT / folder).rglob("*.[py][ya]*"):
            if path.suffix in (".py", ".yaml"):
                named |= set(re.findall(r"\bTRACEMILL_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    assert named == {one.name for one in VARIABLES if one.name.startswith("TRACEMILL_")}
