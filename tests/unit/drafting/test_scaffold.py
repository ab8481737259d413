"""`tracemill new`: what it writes into a clone works, and its own test passes, once the printed line is added."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracemill.cli import app
from tracemill.drafting.scaffold import SOURCE, VERIFIER, Part, Written, step_of, write_part
from tracemill.errors import RecipeError

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[3]
PARTS = {"acme_math": SOURCE, "same_words": VERIFIER, "too_long_to_ask": step_of("curate")}
ROOTS = ("include", "plugins", "pyproject.toml", "tests/build/trial.py", "tests/conftest.py")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the new parts need of the repository."""
    folder = tmp_path_factory.mktemp("clone")
    for root in ROOTS:
        (folder / root).parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / root).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(PROJECT / root, folder / root, symlinks=True, ignore=ignored)
        else:
            shutil.copy(PROJECT / root, folder / root)
    return folder


def add_line(clone: Path, written: Written) -> None:
    """Do what the command tells: add the printed line to the union."""
    path = clone / written.listed
    text = path.read_text(encoding="utf-8")
    pattern = re.compile(rf"^{written.union} = (Annotated\[\s*)+", re.MULTILINE)
    found = pattern.search(text)
    assert found is not None
    path.write_text(text[: found.end()] + written.line.removeprefix("| ") + " | " + text[found.end() :])


def ran(clone: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def written(clone: Path) -> dict[str, Written]:
    """One part of each kind, written, with the line added."""
    made = {name: write_part(part, name, clone) for name, part in PARTS.items()}
    for one in made.values():
        add_line(clone, one)
    return made


def test_each_new_part_passes_its_own_test(clone: Path, written: dict[str, Written]) -> None:
    """All in one run: the import of the library is what takes time."""
    tests = [one.test for one in written.values()]
    result = ran(clone, "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "12 passed" in result.stdout


def test_what_is_written_is_clean_and_in_order(clone: Path, written: dict[str, Written]) -> None:
    files = [str(path) for one in written.values() for path in one.files if path.suffix == ".py"]
    edited = [str(clone / one.listed) for one in written.values()]
    stages = str(clone / "plugins/tracemill_airflow/operators/stages.py")
    checked = ran(clone, "ruff", "check", "--no-cache", "--ignore=E501", *files, *edited, stages)
    formatted = ran(clone, "ruff", "format", "--no-cache", "--check", *files, stages)
    assert (checked.returncode, formatted.returncode) == (0, 0), checked.stdout + formatted.stdout


def test_a_step_gets_its_operator(clone: Path, written: dict[str, Written]) -> None:
    stages = (clone / "plugins/tracemill_airflow/operators/stages.py").read_text(encoding="utf-8")
    assert 'stage_name = "too_long_to_ask"' in stages
    assert stages.index("class ReleaseOperator") < stages.index("class TooLongToAskOperator") < stages.index("STAGES")


@pytest.mark.parametrize(
    ("part", "name", "says"),
    [
        pytest.param(SOURCE, "limo", "there is a source 'limo' already", id="taken"),
        pytest.param(SOURCE, "Acme-Math", "is no name", id="no name"),
        pytest.param(VERIFIER, "verifier", "is there already", id="a file of that name"),
        pytest.param(SOURCE, "class", "is a word of Python", id="a module that cannot be imported"),
        pytest.param(step_of("select"), "recipe", "would make a class Recipe", id="a class of the list's own file"),
        pytest.param(step_of("select"), "sieve", "would make a class Sieve", id="the class that it derives from"),
        pytest.param(step_of("select"), "stage", "would make a class StageOperator", id="its operator's base"),
        pytest.param(step_of("select"), "exception", "would make a class Exception", id="a class of Python's own"),
    ],
)
def test_what_is_there_is_never_written_over(clone: Path, part: Part, name: str, says: str) -> None:
    before = (clone / part.listed).read_text(encoding="utf-8")
    with pytest.raises(RecipeError, match=says):
        write_part(part, name, clone)
    assert (clone / part.listed).read_text(encoding="utf-8") == before


def test_outside_of_a_clone_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["new", "source", "mine"])
    assert result.exit_code == 1
    assert "no clone" in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_the_line_that_is_left(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clone / "include")
    result = CliRunner().invoke(app, ["new", "step", "other_step", "--room", "select"])
    assert result.exit_code == 0, result.output
    assert "AnyStep in include/tracemill/recipe.py" in result.output
    assert "| OtherStep" in result.output
    assert (clone / "include/tracemill/select/other_step.py").is_file()
