"""Writes the YAML of a drafted recipe: small, commented, and checked by reading it back."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tracemill.drafting.asked import LONG, SHORT, Asked, model_lines, plain
from tracemill.drafting.looking import Look
from tracemill.drafting.parts import Roles
from tracemill.errors import RecipeError
from tracemill.recipe import load_recipe

THINK_FIRST = "First think step by step between <think> and </think>, then write your answer after it."
_CATEGORIES = {
    "test_case": "code",
    "reference_answer": "math",
    "answer_index": "math",
}  # what is checked by a program, and by its answer


@dataclass(frozen=True)
class Draft:
    """All that decides a drafted recipe. `columns` says which column is what; {} for a documented data set."""

    name: str
    found: Look
    columns: Roles
    asked: Asked
    category: str | None = None
    license: str | None = None

    @property
    def is_checked(self) -> bool:
        """Whether the rows say what is right: without a reference or tests nothing can be verified."""
        return self.found.known is not None or any(role in self.columns for role in _CATEGORIES)


def recipe_name(given: str) -> str:
    """A recipe's name from a file's or data set's: small letters, digits and underscores."""
    last = given.rstrip("/").rsplit("/", 1)[-1].split(".", 1)[0]
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_") or "mine"


def write(draft: Draft, to: Path) -> None:
    """Write the recipe and read it back. Raises RecipeError when the file is there already."""
    text = written(draft, to.resolve().parent)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise RecipeError(f"{to} is there already: name another file with --to, or remove it") from None
    except OSError as error:
        raise RecipeError(f"{to}: cannot be written: {error}") from error
    load_recipe(str(to))


def written(draft: Draft, folder: Path) -> str:
    """The YAML of the draft, for a file in that folder."""
    lines = [
        f"name: {plain(draft.name)}",
        f"description: {_quoted(f'Problems of {draft.found.given}, answered by {draft.asked.model} and verified.')}",
        "# Relative paths start at this file's folder. docs/start/own-problems.md says more about every part.",
        "sources:",
        *_indented(_source(draft, folder), "  - ", "    "),
        "steps:",
        "  label: {kind: label}  # language and length",
        "  sign: {kind: sign, embedder: {kind: multilingual}}",
        "  cluster: {kind: cluster}  # finds duplicates",
        "  unique: {kind: unique}",
        "  # decontaminate:  # takes out what a benchmark contains",
        "  #   kind: decontaminate",
        "  #   embedder: {kind: multilingual}",
        "  #   benchmarks: [{name: aime24, path: benchmarks/aime24.jsonl, field: problem}]",
        *_steps(draft, folder),
        "  select: " + ("{kind: select, responses_per_problem: 1}" if draft.is_checked else _UNCHECKED),
        f"  release: {{kind: release, title: {_quoted(draft.name)}}}",
    ]
    return "\n".join(lines) + "\n"


_UNCHECKED = "{kind: select, unverified: keep}  # no column says what is right, so nothing can be verified"


_UNLICENSED = "# license: Apache-2.0  # goes into every row"


def _steps(draft: Draft, folder: Path) -> list[str]:
    """From the responses that are there to the verdicts on those that the model writes."""
    has_responses = draft.found.known is not None or {"response", "messages"} & draft.columns.keys()
    existing = ["rules: {kind: rules}  # the form of the responses that are there", *_verify("verify", draft)]
    limit = LONG if draft.asked.is_thinking else SHORT
    teacher = [f"sampling: {{max_tokens: {limit}}}", "model:", *_indented(model_lines(draft.asked, folder))]
    teacher = teacher if draft.asked.is_thinking else [f"system: {_quoted(THINK_FIRST)}", *teacher]
    distill = ["distill:", "  kind: distill", "  teacher:", "    kind: chat", *_indented(teacher, *("    ",) * 2)]
    after = ["rules_new: {kind: rules}  # the form of the new ones", *_verify("verify_new", draft)]
    return _indented([*(existing if has_responses else []), *distill, *after])


def _verify(name: str, draft: Draft) -> list[str]:
    known = draft.found.known is not None
    checked = {
        "math": known or {"reference_answer", "answer_index"} & draft.columns.keys(),
        "code": known or "test_case" in draft.columns,
    }
    return [f"{name}_{kind}: {{kind: verify, verifiers: [{{kind: {kind}}}]}}" for kind in checked if checked[kind]]


def _source(draft: Draft, folder: Path) -> list[str]:
    found = draft.found
    kind = found.known or ("huggingface" if found.is_hub else "jsonl")
    lines = [f"kind: {kind}", f"name: {plain(draft.name)}"]
    if found.is_hub:
        lines += [] if found.known else [f"repo: {_quoted(found.given)}"]
    else:
        lines.append(f"path: {_path(found.given, folder)}")
    if not found.known:
        columns = ", ".join(f"{role}: {_quoted(name)}" for role, name in draft.columns.items())
        lines.append(f"columns: {{{columns}}}")
    category = draft.category or next((word for role, word in _CATEGORIES.items() if role in draft.columns), None)
    lines += [f"category: {_quoted(category)}"] if category and not found.known else []
    return [*lines, f"license: {_quoted(draft.license)}" if draft.license else _UNLICENSED]


def _path(given: str, folder: Path) -> str:
    whole = Path.cwd() / Path(given).expanduser()
    place = whole.resolve() if whole.exists() else whole
    shown = place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place)
    return _quoted(shown.replace("$", "$$"))


def _quoted(text: str | tuple[str, ...]) -> str:
    return json.dumps(text, ensure_ascii=False)


def _indented(lines: list[str], first: str = "  ", rest: str | None = None) -> list[str]:
    return [f"{first if number == 0 else (rest or first)}{line}" for number, line in enumerate(lines)]
