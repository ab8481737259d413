"""What `pip install` gives: the built wheel, in an environment of its own, knows its recipes and runs one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RECIPE = """\
name: two_steps
description: x
sources: [{kind: jsonl, name: some, path: rows.jsonl, columns: {prompt: q, reference_answer: a}}]
steps:
  label: {kind: label}
  filter: {kind: filter}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: building leaves files beside the sources
    copied = ["include", "plugins", "pyproject.toml", "README.md", "LICENSE"]
    source.mkdir()
    subprocess.run(["cp", "-a", *(str(PROJECT / name) for name in copied), str(source)], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "env" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
    ours = sysconfig.get_paths(vars={"base": str(folder / "env"), "platbase": str(folder / "env")})["purelib"]
    (Path(ours) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python.parent


def said(installed: Path, *words: str, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run([*words], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_wheel_holds_both_roots_and_finds_its_recipes(installed: Path, tmp_path: Path) -> None:
    code = (
        "import tracemill.recipe, tracemill_airflow.graph as g, tracemill; print(tracemill.__file__); print(g.__file__)"
    )
    places = said(installed, str(installed / "python"), "-c", code, cwd=tmp_path).split()
    assert all(place.startswith(str(installed.parent)) for place in places)
    listed = said(installed, str(installed / "tracemill"), "recipes", cwd=tmp_path)
    assert {path.stem for path in (PROJECT / "include" / "recipes").glob("*.yaml")} <= set(listed.split())


def test_it_runs_a_recipe(installed: Path, tmp_path: Path) -> None:
    rows = [{"q": f"What is {n} plus {n + 1}, and why?", "a": str(2 * n + 1)} for n in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"q": "", "a": "1"}]))
    (tmp_path / "mine.yaml").write_text(RECIPE)
    command = str(installed / "tracemill")
    said(installed, command, "run", "mine.yaml", "--root", str(tmp_path / "store"), cwd=tmp_path)
    funnel = json.loads(said(installed, command, "funnel", "--root", str(tmp_path / "store"), "--json", cwd=tmp_path))
    assert [(step["step"], step["kept"]) for step in funnel["steps"]][-1] == ("filter", 4)


def test_the_package_names_what_requirements_names() -> None:
    """Trap: a library that is added to the one file alone is missing where the wheel is installed."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = {line.split("#")[0].strip() for line in lines} - {""}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*project["dependencies"], *project["optional-dependencies"]["airflow"]} == wanted


def test_what_trains_is_named_as_in_its_own_file() -> None:
    lines = (PROJECT / "requirements-train.txt").read_text(encoding="utf-8").splitlines()
    wanted = {line.split("#")[0].strip() for line in lines} - {""}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]["train"]) == wanted
