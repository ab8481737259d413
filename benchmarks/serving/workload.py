"""The workload: problems in a file, and a recipe that only distils them with one of the embedded teachers."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import yaml

from tracemill.engine.runner import shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe, load_recipe

PROJECT = Path(__file__).resolve().parents[2]
ZOO = PROJECT / "zoo" / "models"
STAGES = ("plan", "ingest", "distill")
SLOTS = 32  # --max-num-seqs
CONCURRENCY = 64


@dataclass(frozen=True)
class Workload:
    """Where the problems, the recipe and the stores of one measurement lie."""

    folder: Path
    problems: int
    model: Path
    rows_per_shard: int = 100

    @property
    def path(self) -> Path:
        """The recipe's file."""
        return self.folder / "recipe.yaml"

    def write(self, more: int = 0) -> Recipe:
        """Write problems and recipe; `more` problems come after the others, as a refresh brings them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "teacher").exists():
            shutil.copytree(self.model, self.folder / "teacher")
        lines = [json.dumps({"problem": question(n)}) for n in range(self.problems + more)]
        (self.folder / "problems.jsonl").write_text("\n".join(lines) + "\n")
        self.path.write_text(yaml.safe_dump(self._recipe()))
        return load_recipe(str(self.path))

    def _recipe(self) -> dict[str, Any]:
        serve = {
            "concurrency": CONCURRENCY,
            "flags": ["--max-num-seqs", str(SLOTS)],
            "max_model_len": 1024,
            "idle": 120,
        }
        model = {"name": "teacher", "weights": str(self.folder / "teacher"), "serve": serve}
        sampling = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 384}
        teacher = {"kind": "chat", "model": model, "sampling": sampling, "directives": {}}
        source = {"kind": "jsonl", "name": "bench", "path": str(self.folder / "problems.jsonl")}
        return {
            "name": "bench_serving",
            "description": "Problems without a response, distilled by an embedded teacher.",
            "rows_per_shard": self.rows_per_shard,
            "sources": [{**source, "columns": {"prompt": "problem"}}],
            "steps": {"distill": {"kind": "distill", "teacher": teacher}},
        }


def question(number: int) -> str:
    """One problem; the number decides it. The last digits keep all of them different."""
    draw = random.Random(number)
    terms = [str(draw.randint(1, 999)) for _ in range(draw.randint(2, 6))]
    text = terms[0]
    for term in terms[1:]:
        text += f" {draw.choice('+-*')} {term}"
    return f"Calculate {text} + {number}."


@dataclass(frozen=True)
class Made:
    """What a store holds of a distilled workload: prompts and completion tokens, in the order of the shards."""

    prompts: list[str]
    tokens: list[int]


def made(store: Store) -> Made:
    """Read all traces back. Raises AssertionError unless every problem has exactly one."""
    prompts: list[str] = []
    tokens: list[int] = []
    for shard in range(shard_count(store)):
        ingested, distilled = store.manifest("ingest", shard), store.manifest("distill", shard)
        assert ingested, f"shard {shard} is not ingested"
        assert distilled, f"shard {shard} is not distilled"
        problems = store.get_table(ingested.tables["problems"])
        traces = store.get_table(distilled.tables["generations"])
        assert sorted(problems["id"].to_pylist()) == sorted(traces["problem_id"].to_pylist())
        place = pc.index_in(traces["problem_id"], value_set=problems["id"].combine_chunks())
        prompts += problems["prompt"].take(place).to_pylist()
        tokens += traces["completion_tokens"].to_pylist()
    return Made(prompts, tokens)
