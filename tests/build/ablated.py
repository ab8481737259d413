"""A small recipe whose every stage turns something away, run to its release, and how it is ablated."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from rich.console import Console

from tests.build.small import Small
from tests.build.training import PROVE, TRAIN
from tracemill.ablate.arms import Arm, Plan, overlay
from tracemill.engine.resources import Resources
from tracemill.engine.runner import shard_count
from tracemill.engine.tables.ablation import ABLATION_TOKENS
from tracemill.local.run import Run

PROBLEMS = 12
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ida", "Jon", "Kim", "Lou")
# What is wrong with the response to a problem, by its number; all others are right.
WRONG = 2  # its answer
LOOPED = 3  # its form
LEAKED = 4  # its problem is a benchmark's
TWICE = 5  # its problem comes again, with a response of its own
SECOND = 6  # it has a second response, that is longer
_WORDS_ALONE = {"alignment": None, "embedding": None, "template": None}  # all problems are of one form


def question(number: int) -> str:
    """A problem that is like no other one."""
    return f"{NAMES[number]} counts {number + 3} birds by the river and {2 * number + 5} more at home: how many is that"


def answer(number: int) -> str:
    return f"\\boxed{{{3 * number + 8}}}"


def rows() -> list[dict[str, Any]]:
    """The rows of the source."""
    found = [_row(k, f"We add {k + 3} and {2 * k + 5} with care.", answer(k)) for k in range(PROBLEMS)]
    found[WRONG]["r"] = _response("We guess at it for a while.", "\\boxed{-1}")
    found[LOOPED]["r"] = _response("so we go on " * 60, answer(LOOPED))
    longer = "We add the two numbers once, and then once more, to be quite sure of it."
    found.insert(SECOND + 1, _row(SECOND, longer, answer(SECOND)))  # in the shard of the first: there is one problem
    again = _row(TWICE, "We count them on our fingers.", answer(TWICE))
    return [*found, {**again, "q": f"{question(TWICE)}?"}]


def _row(number: int, thinking: str, said: str) -> dict[str, Any]:
    return {"q": question(number), "a": str(3 * number + 8), "r": _response(thinking, said)}


def _response(thinking: str, said: str) -> str:
    return f"<think>{thinking}</think>\n<answer>{said}</answer>"


def ablatable(folder: Path, **steps: dict[str, Any]) -> Small:
    """The recipe and its source, written; `steps` replace its own, or come before `select`."""
    made = Small(folder)
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    columns = {"prompt": "q", "reference_answer": "a", "response": "r"}
    source = {"kind": "jsonl", "name": "some", "path": str(folder / "rows.jsonl"), "columns": columns}
    source["category"] = "math"
    leak = made.benchmark("leaks", question(LEAKED))
    embedder = {"kind": "hashing"}
    benchmark = {"name": "leaks", "path": str(leak), "field": "question"}
    own: dict[str, Any] = {
        "sign": {"kind": "sign", "embedder": embedder},
        "cluster": {"kind": "cluster"},
        "unique": {"kind": "unique"},
        "decontaminate": {"kind": "decontaminate", "embedder": embedder, "benchmarks": [benchmark], **_WORDS_ALONE},
        "rules": {"kind": "rules"},
        "verify_math": {"kind": "verify", "verifiers": [{"kind": "math"}]},
    }
    last = {"select": {"kind": "select"}, "release": {"kind": "release"}, "prove": PROVE, "train": TRAIN}
    data = {
        "name": "small",
        "description": "x",
        "rows_per_shard": 8,
        "sources": [source],
        "steps": {**own, **steps, **{name: steps.get(name, step) for name, step in last.items()}},
    }
    made.recipe_file.write_text(yaml.safe_dump(data, sort_keys=False))
    return made


def released(made: Small, machine: Resources) -> Small:
    """Run it to its release, in which there are 9 of the 14 responses; no student is trained."""
    steps = list(made.recipe.pipeline())
    Run(made.recipe, str(made.root), machine, Console(file=StringIO()), steps[: steps.index("release") + 1]).go()
    return made


def arm_of(plan: Plan, name: str) -> Arm:
    """The arm of that name."""
    return next(arm for arm in plan.arms if arm.name == name)


def questions(made: Small, arm: str) -> list[str]:
    """The problems of an arm's set, one a response, in order, however they end."""
    store = overlay(made.store, arm)
    found: list[str] = []
    for shard in range(shard_count(store)):
        counted = store.manifest("count_tokens", shard)
        ingested = store.manifest("ingest", shard)
        assert counted is not None
        assert ingested is not None
        ids = pl.DataFrame(store.get_table(counted.tables[ABLATION_TOKENS.name]))
        rows = pl.DataFrame(store.get_table(ingested.tables["generations"], ["id", "problem_id"]))
        problems = pl.DataFrame(store.get_table(ingested.tables["problems"], ["id", "prompt"]))
        of = rows.join(problems, left_on="problem_id", right_on="id")
        found += ids.join(of, left_on="generation_id", right_on="id", how="left", maintain_order="left")[
            "prompt"
        ].to_list()
    return sorted(text.rstrip("?") for text in found)
