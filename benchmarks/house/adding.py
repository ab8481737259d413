"""Counts the files that one new part touches: adds a source, a verifier, a step, a sampling policy and a language to a
copy of the tree and runs each one's test. `tracemill new` writes what it can; the rest is done here as a person would,
by hand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from tracemill.drafting.scaffold import SOURCE, VERIFIER, Part, step_of, write_part

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = (
    "include",
    "plugins",
    "docker/sandbox",
    "pyproject.toml",
    "tests/build",
    "tests/conftest.py",
    "tests/unit/sandbox",
)
LANGUAGE = Path(__file__).with_name("perl.txt")
POLICY = Path(__file__).with_name("until_two.txt")
POLICY_TEST = Path(__file__).with_name("until_two_test.txt")
# The rows of the conformance table that the new language brings, in the sandbox of this machine.
_CONFORMS = """
from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.conformance import cases, run_table
from tracemill.sandbox.pool import open_sandbox
with open_sandbox(SandboxSettings()) as sandbox:
    rows = list(run_table(sandbox, [case for case in cases() if case.language == "perl"], {}))
assert len(rows) >= 6 and all(row.right for row in rows), [row for row in rows if not row.right]
"""
Count = dict[str, int]


def figures() -> Mapping[str, Count]:
    """Files that are new or changed for each part, and those of them that a person touches."""
    ways: dict[str, Callable[[Path], tuple[set[str], list[list[str]]]]] = {
        "source": lambda clone: _drafted(clone, SOURCE, "acme_math"),
        "verifier": lambda clone: _drafted(clone, VERIFIER, "same_words"),
        "step": lambda clone: _drafted(clone, step_of("curate"), "too_long_to_ask"),
        "policy": _policy,
        "language": _language,
    }
    touched: Count = {}
    by_hand: Count = {}
    with tempfile.TemporaryDirectory() as folder:
        clone = _clone(Path(folder) / "clone")
        for name, add in ways.items():
            ours, tests = add(clone)
            for test in tests:
                _run(clone, *test)
            changed = set(_git(clone, "status", "--porcelain", "--untracked-files=all").split("\n")) - {""}
            touched[name] = len(changed)
            by_hand[name] = len(ours)
            _seal(clone)
    return {"files_to_add": touched, "files_by_hand": by_hand}


def _drafted(clone: Path, part: Part, name: str) -> tuple[set[str], list[list[str]]]:
    """What `tracemill new` writes, and by hand the line that it prints."""
    written = write_part(part, name, clone)
    path = clone / written.listed
    text = path.read_text(encoding="utf-8")
    union = re.search(rf"^{written.union} = (Annotated\[\s*)+", text, re.MULTILINE)
    if union is None:
        raise SystemExit(f"{written.listed} lists no {written.union}")
    line = written.line.removeprefix("| ")
    path.write_text(f"{text[: union.end()]}{line} | {text[union.end() :]}", encoding="utf-8")
    return {written.listed}, [["-m", "pytest", "-q", "-p", "no:cacheprovider", written.test]]


def _policy(clone: Path) -> tuple[set[str], list[list[str]]]:
    """A class and its name, in the file that lists them; and its test."""
    file = "include/tracemill/distill/policies.py"
    test = "tests/unit/distill/test_until_two.py"
    text = (clone / file).read_text(encoding="utf-8")
    classes, union, rest = text.partition("AnyPolicy = Annotated[")
    (clone / file).write_text(f"{classes}{POLICY.read_text()}{union}UntilTwo | {rest}", encoding="utf-8")
    (clone / test).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(POLICY_TEST, clone / test)
    return {file, test}, [["-m", "pytest", "-q", "-p", "no:cacheprovider", test]]


def _language(clone: Path) -> tuple[set[str], list[list[str]]]:
    """A language's own file, its packages in the image, and no longer among those that cannot be judged here."""
    file = "include/tracemill/sandbox/languages/perl.py"
    shutil.copy(LANGUAGE, clone / file)
    edits = {
        "docker/sandbox/Dockerfile": (' rustc"', ' rustc perl-base"'),
        "include/tracemill/sandbox/languages/__init__.py": (" perl pl ", " "),
    }
    for name, (before, after) in edits.items():
        text = (clone / name).read_text(encoding="utf-8")
        (clone / name).write_text(text.replace(before, after), encoding="utf-8")
    test = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/sandbox/test_languages.py"]
    return {file, *edits}, [test, ["-c", _CONFORMS]]


def _clone(folder: Path) -> Path:
    """A copy of what new parts and their tests need of the tree, under git."""
    for root in ROOTS:
        there = folder / root
        there.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / root).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(PROJECT / root, there, symlinks=True, ignore=ignored)
        else:
            shutil.copy(PROJECT / root, there)
    (folder / ".gitignore").write_text("__pycache__/\n.hypothesis/\n", encoding="utf-8")
    _git(folder, "init", "--quiet")
    _seal(folder)
    return folder


def _seal(clone: Path) -> None:
    _git(clone, "add", "--all")
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@localhost")
    _git(clone, *who, "commit", "--quiet", "--no-verify", "--message", "so far")


def _git(clone: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=clone, check=True, capture_output=True, text=True)
    return done.stdout


def _run(clone: Path, *words: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{clone / 'include'}:{clone / 'plugins'}"}
    done = subprocess.run([sys.executable, *words], cwd=clone, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"what was added does not work: {' '.join(words)}\n{done.stdout}{done.stderr}")
