"""Writes a new source, verifier or step into a clone: its file, test and registration, but for one line.

What is written works and passes its test as it is; from there it is changed into what is meant, test first.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from tracemill.drafting.kinds import kinds
from tracemill.errors import RecipeError

TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_STAGES = "plugins/tracemill_airflow/operators/stages.py"


@dataclass(frozen=True)
class Part:
    """What can be added. `module`: of its file; `union`: the type that lists its like, in the file `listed`.

    `fixture`: its test reads rows of a file in their native schema. `operator`: Airflow needs a class for it.
    """

    kind: str
    suffix: str
    module: str
    union: str
    listed: str
    tests: str
    fixture: bool = False
    operator: bool = False

    def files(self, name: str) -> dict[str, str]:
        """Each new file, by the template that it is made of."""
        made = {
            self.kind: f"include/{self.module.replace('.', '/')}/{name}.py",
            f"{self.kind}_test": f"tests/unit/{self.tests}/test_{name}.py",
        }
        return made | ({f"{self.kind}_fixture": f"tests/fixtures/{self.kind}s/{name}.jsonl"} if self.fixture else {})


@dataclass(frozen=True)
class Written:
    """What was written. `line` is left to add to `union` in the file `listed`; `test` is the new test."""

    files: list[Path] = field(default_factory=list)
    line: str = ""
    union: str = ""
    listed: str = ""
    test: str = ""


_SOURCES = "include/tracemill/ingest/sources.py"
_VERIFIERS = "include/tracemill/verify/__init__.py"
SOURCE = Part("source", "Source", "tracemill.ingest.datasets", "AnySource", _SOURCES, "ingest", fixture=True)
VERIFIER = Part("verifier", "Verifier", "tracemill.verify", "AnyVerifier", _VERIFIERS, "verify")


def step_of(room: str) -> Part:
    """A step that lies in that room of the house. Raises RecipeError for a room that holds no steps."""
    rooms = ("curate", "dedup", "decontaminate", "distill", "verify", "judge", "grade", "select", "release")
    if room not in rooms:
        raise RecipeError(f"there is no room {room!r} for steps: there are {', '.join(rooms)}")
    return Part("step", "", f"tracemill.{room}", "AnyStep", "include/tracemill/recipe.py", "steps", operator=True)


def write_part(part: Part, name: str, clone: Path) -> Written:
    """Write the files of a new part. Raises RecipeError for a name that is taken, or where there is no clone."""
    _require_clone(clone)
    words = {"name": name, "class_name": "".join(word.capitalize() for word in name.split("_")) + part.suffix}
    _require_free(part, name, clone)
    _require_own(part, words, clone)
    written = []
    for template, place in part.files(name).items():
        path = clone / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(template, words), encoding="utf-8")
        written.append(path)
    _insert_import(clone / part.listed, f"from {part.module}.{name} import {words['class_name']}")
    if part.operator:
        _append_class(clone / _STAGES, _filled("step_operator", words))
    test = part.files(name)[f"{part.kind}_test"]
    return Written(written, f"| {words['class_name']}", part.union, part.listed, test)


def clone_around(folder: Path) -> Path:
    """The clone that a folder lies in: the nearest one above that has the library. Raises RecipeError for none."""
    found = next((one for one in (folder, *folder.parents) if _is_clone(one)), None)
    if found is None:
        raise RecipeError(f"{folder} lies in no clone of tracemill's repository: new parts are written into one")
    return found


def _is_clone(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file() and (folder / "include" / "tracemill" / "recipe.py").is_file()


def _require_clone(clone: Path) -> None:
    if not _is_clone(clone):
        raise RecipeError(f"{clone} is no clone of tracemill's repository: new parts are written into one")


def _require_free(part: Part, name: str, clone: Path) -> None:
    if not _NAME.fullmatch(name):
        raise RecipeError(f"{name!r} is no name: lower-case letters, digits and _, as in acme_math")
    if any(kind.name == name and kind.family == part.kind for kind in kinds()):
        raise RecipeError(f"there is a {part.kind} {name!r} already: `tracemill describe {name}`")
    taken = [place for place in part.files(name).values() if (clone / place).exists()]
    if taken:
        raise RecipeError(f"{taken[0]} is there already: choose another name, or remove it")


def _require_own(part: Part, words: dict[str, str], clone: Path) -> None:
    """Raises RecipeError for a name that Python keeps to itself, or whose class would hide one that is used there."""
    name = words["name"]
    if keyword.iskeyword(name):
        raise RecipeError(f"{name!r} is a word of Python, which no module can be called: choose another name")
    made = {words["class_name"]}
    texts = [_filled(part.kind, {**words, "class_name": "_"}), (clone / part.listed).read_text(encoding="utf-8")]
    if part.operator:
        made.add(f"{words['class_name']}Operator")
        texts.append((clone / _STAGES).read_text(encoding="utf-8"))
    used = set(dir(builtins)).union(*map(_names_in, texts))
    if taken := sorted(made & used):
        raise RecipeError(f"{name!r} would make a class {taken[0]}, which is something else there: choose another name")


def _names_in(text: str) -> set[str]:
    """Every name that a module imports, defines or uses."""
    nodes = list(ast.walk(ast.parse(text)))
    defined = {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    imported = {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    return defined | imported | {node.id for node in nodes if isinstance(node, ast.Name)}


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")).substitute(words)


def _insert_import(path: Path, line: str) -> None:
    """Put an import among those from tracemill, in their order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    module = line.split()[1]
    own = [
        (node.end_lineno or node.lineno, node.module or "")
        for node in ast.parse("\n".join(lines)).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tracemill.")
    ]
    before = [end for end, name in own if name < module]
    place = before[-1] if before else own[0][0] - 1
    path.write_text("\n".join([*lines[:place], line, *lines[place:]]) + "\n", encoding="utf-8")


def _append_class(path: Path, text: str) -> None:
    """Put a class behind the last class of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    body = ast.parse("\n".join(lines)).body
    end = max(node.end_lineno or 0 for node in body if isinstance(node, ast.ClassDef))
    path.write_text("\n".join([*lines[:end], *text.rstrip("\n").split("\n"), *lines[end:]]) + "\n", encoding="utf-8")
