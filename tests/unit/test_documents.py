"""README and the site say what works: each command, option, make target, variable and path that they name is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tracemill.cli import app
from tracemill.engine.variables import VARIABLES
from tracemill.models.model import Model
from tracemill.release.exports.step import Export

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*/*.md"))]
FENCE = re.compile(r"^```(?:|sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PLACES = re.compile(r"(?:include|plugins|dags|tests|docs|docker|tools|benchmarks|zoo)/[\w./-]*\w")
EXAMPLES = ("acme_math", "same_words", "too_long_to_ask", "NAME", "ROOM")
COMMAND: Any = typer.main.get_command(app)


def lines(page: Path) -> Iterator[str]:
    """Each line of a page that is to be typed into a shell, with what is continued joined."""
    for block in FENCE.findall(page.read_text(encoding="utf-8")):
        yield from block.replace("\\\n", " ").splitlines()


def typed(line: str) -> list[str] | None:
    """The words behind `tracemill`, also where the cluster's `cli` runs it; None for another command."""
    try:
        words = shlex.split(re.split(r" [|>]", line)[0], comments=True)
    except ValueError:  # one of several lines of a quoted text
        return None
    if words[:3] == ["docker", "compose", "run"] and "cli" in words:
        return words[words.index("cli") + 1 :]
    return words[1:] if words and Path(words[0]).name == "tracemill" else None


def faults(words: list[str], whole: bool = True) -> list[str]:
    """What of a command line the command does not know; `whole`: also what it lacks, and has too much."""
    command = COMMAND
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]
        words = words[1:]
    if getattr(command, "commands", {}):
        return [] if not words else [f"no command {words[0]}"]
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts) if name[0] == "-"}
    given: list[str] = []
    found: list[str] = []
    while words:
        name, has_value, _ = words[0].partition("=")
        one = options.get(name)
        if name.startswith("-") and one is None:
            found.append(f"{command.name} has no {name}")
        elif one is None:
            given.append("")
        else:
            given.append(one.name)
        taken = one.nargs if one is not None and not one.is_flag and not has_value else 0
        words = words[1 + taken :]
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    required = [one for one in command.params if one.required]
    lacking = [one.name for one in required if one not in arguments and one.name not in given]
    wanted = sum(one.required for one in arguments)
    count = given.count("")
    most = 1000 if any(one.nargs < 0 for one in arguments) else len(arguments)
    if whole and not wanted <= count <= most:
        found.append(f"{command.name} takes {wanted} to {most} arguments, here {count}")
    return [*found, *(f"{command.name} needs --{name}" for name in lacking if whole)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tracemill recall mine --root r --path p --name n --field f", "takes 0 to 0 arguments, here 1"),
        ("tracemill recal --root r", "no command recal"),
        ("tracemill funnel --rot r", "has no --rot"),
        ("tracemill funnel", "needs --root"),
        ("docker compose run --rm cli funnel", "needs --root"),
    ],
)
def test_what_would_fail_is_seen(line: str, says: str) -> None:
    words = typed(line)
    assert words is not None
    assert says in "; ".join(faults(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_a_page_names_what_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shell = list(lines(page))
    spans = SPAN.findall(text)
    wrong = [f"{line}: {fault}" for line in shell for fault in faults(typed(line) or ["new"])]
    inline = [span for span in spans if span.startswith("tracemill ") and "|" not in span]
    wrong += [f"{one}: {fault}" for one in inline for fault in faults(shlex.split(one)[1:], whole=False)]
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    made = [name for line in [*shell, *spans] for name in re.findall(r"^make ([a-z][a-z-]*)", line)]
    wrong += [f"make {name}" for name in made if name not in targets and name != "bench-"]
    known = {one.name for one in VARIABLES}
    wrong += [name for name in re.findall(r"\bTRACEMILL_[A-Z_]*[A-Z]\b", text) if name not in known]
    named = [span for span in spans if PLACES.fullmatch(span) and not any(one in span for one in EXAMPLES)]
    wrong += [f"no file {name}" for name in named if not (PROJECT / name).exists()]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_what_a_page_shows_of_a_recipe_can_be_written_so(page: Path) -> None:
    """Trap: a key that was renamed since."""
    known = {"model": Model, "export": Export}
    for block in YAML.findall(page.read_text(encoding="utf-8")):
        for key, value in (yaml.safe_load(block) or {}).items():
            if key in known:
                known[key].model_validate(value)


def test_the_policy_of_the_how_to_is_the_one_that_is_added_and_run() -> None:
    """`make bench-house` adds it to a copy of the tree and runs its test."""
    page = (PROJECT / "docs" / "how-to" / "add-a-policy.md").read_text(encoding="utf-8")
    assert (PROJECT / "benchmarks" / "house" / "until_two.txt").read_text(encoding="utf-8").strip() in page


def test_every_page_has_its_place_on_the_site() -> None:
    nav = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [page.relative_to(PROJECT / "docs").as_posix() for page in PAGES if page.is_relative_to(PROJECT / "docs")]
    assert [page for page in pages if not page.startswith("design/") and f"- {page}" not in nav] == []
