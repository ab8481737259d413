"""The shape of the house: who may import whom, and how big a room may grow."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LIBRARY = PROJECT / "include" / "tracemill"
MODULES = sorted(LIBRARY.rglob("*.py"))


def modules_of(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def imported(path: Path) -> set[str]:
    """The first name of every module that a file imports."""
    return {name.split(".")[0] for name in modules_of(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_no_file_of_the_library_names_airflow(path: Path) -> None:
    assert not imported(path) & {"airflow", "tracemill_airflow"}


@pytest.mark.slow
def test_reading_a_recipe_loads_neither_airflow_nor_torch() -> None:
    """A DAG processor and every short task pay for what this import pulls in."""
    heavy = "{'airflow', 'torch', 'sentence_transformers'}"
    code = f"import sys, tracemill.recipe; print(sorted({heavy} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY.parent)}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "path",
    [*MODULES, *sorted((PROJECT / "plugins").rglob("*.py")), *sorted((PROJECT / "dags").glob("*.py"))],
    ids=lambda p: str(p.relative_to(PROJECT)),
)
def test_a_file_knows_one_thing(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert path.stem not in {"utils", "helpers", "common", "manager", "processor"}


def test_the_house_has_ten_floors_at_most_and_its_page_names_them_all() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in settings["contracts"] if one["type"] == "layers")
    assert len(layers) <= 10
    page = (PROJECT / "docs" / "design" / "house.md").read_text(encoding="utf-8")
    for number, layer in enumerate(layers, 1):
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {number} |"))
        rooms = {room.strip().removeprefix("tracemill.") for room in layer.replace(":", "|").split("|")}
        assert {room for room in rooms if f"`{room}`" not in row} == set(), row


def test_airflow_loads_nothing_of_the_operators_as_a_plugin() -> None:
    assert "tracemill_airflow/" in (PROJECT / "plugins" / ".airflowignore").read_text().splitlines()


def test_what_several_tests_need_lies_in_tests_build() -> None:
    """A test that takes a part from another test falls with it, and nobody finds the part."""
    taken = [
        f"{path.relative_to(PROJECT)} takes from {name}"
        for folder in ("tests", "benchmarks")
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for name in sorted(modules_of(path))
        if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")
    ]
    assert taken == []
