"""On real public data our verdicts are those that the files carry, and HumanEval's are those of a plain run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracemill.engine.resources import Resources
from tracemill.engine.runner import run_shard, shard_count
from tracemill.engine.store import Store
from tracemill.recipe import Recipe, load_recipe, parse_recipe
from tracemill.report.agreement import agreement
from tracemill.sandbox.base import Job, SandboxSettings, SandboxUnavailable, Status, StdioSuite
from tracemill.sandbox.pool import open_sandbox

DATA = os.environ.get("TRACEMILL_DATA")
FILES = ("gsm8k_model_solutions.jsonl", "math_cot_100x8.jsonl", "kodcode_r1.jsonl", "humaneval_codegen16b_8.jsonl")
LEAST = {"gsm8k": 0.998, "math_cot": 0.995, "kodcode": 0.98}
UNDECIDED = {
    "gsm8k": 0.01,
    "math_cot": 0.01,
    "kodcode": 0.02,
}  # KodCode: tests that its own solution cannot pass either
PASSED = "every assertion held"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        not DATA or not all((Path(DATA) / name).is_file() for name in FILES),
        reason="TRACEMILL_DATA does not name a folder with the public sample files",
    ),
]


@pytest.fixture(scope="module")
def resources() -> Resources:
    return Resources(workers=2)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The real sample, verification alone."""
    whole = load_recipe("real_sample").model_dump(mode="json")
    whole["steps"] = {name: step for name, step in whole["steps"].items() if name.startswith("verify")}
    whole["sources"] = [source for source in whole["sources"] if Path(source["path"]).name in FILES]
    return parse_recipe(whole, "real_sample")


@pytest.fixture(scope="module")
def store(recipe: Recipe, resources: Resources, tmp_path_factory: pytest.TempPathFactory) -> Store:
    try:
        with open_sandbox(SandboxSettings(workers=1)):
            pass
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    store = Store.at(str(tmp_path_factory.mktemp("agreement")), create=True)
    run_shard(recipe, store, "plan", 0, resources)
    for step in [name for name in recipe.pipeline() if name != "plan"]:
        for index in range(shard_count(store)):
            run_shard(recipe, store, step, index, resources)
    return store


@pytest.mark.parametrize("source", LEAST)
def test_verdicts_agree_with_the_published_ones(source: str, recipe: Recipe, store: Store) -> None:
    counts = agreement(recipe, store)[source]
    print(source, counts)
    assert counts["agree"] >= LEAST[source] * (counts["n"] - counts["unverifiable"])
    assert counts["unverifiable"] <= UNDECIDED[source] * counts["n"]


def test_humaneval_verdicts_are_those_of_a_plain_run(recipe: Recipe, store: Store, resources: Resources) -> None:
    responses = list(_humaneval(recipe, store))
    jobs = (Job(id=r["id"], source=_plain(r), suite=StdioSuite(inputs=("",), outputs=(PASSED,))) for r in responses)
    with open_sandbox(SandboxSettings(workers=resources.workers)) as sandbox:
        plain = {verdict.id: verdict.status is Status.ACCEPTED for verdict in sandbox.judge(jobs)}
    assert len(plain) == 872
    assert {r["id"] for r in responses if (r["status"] == "pass") != plain[r["id"]]} == set()


def _humaneval(recipe: Recipe, store: Store) -> Iterator[dict[str, Any]]:
    """Every HumanEval response with its problem's tests and our verdict."""
    for index in range(shard_count(store)):
        tables = {name: store.manifest(name, index) for name in recipe.pipeline() if name != "plan"}
        ingested, verified = tables["ingest"], tables["verify_code"]
        assert ingested is not None
        assert verified is not None
        problems = {row["id"]: row for row in store.get_table(ingested.tables["problems"]).to_pylist()}
        verdicts = {row["generation_id"]: row for row in store.get_table(verified.tables["verdicts"]).to_pylist()}
        for row in store.get_table(ingested.tables["generations"]).to_pylist():
            if row["source"] == "humaneval":
                case = json.loads(problems[row["problem_id"]]["test_case"])
                yield {
                    **case,
                    "id": row["id"],
                    "sample": row["answer_content"],
                    "status": verdicts[row["id"]]["status"],
                }


def _plain(row: dict[str, Any]) -> str:
    """prompt + sample + test + check(entry_point) as one program, which prints one line if it gets to its end."""
    program = f"{row['prompt']}{row['sample']}\n{row['test']}\ncheck({row['entry_point']})\n"
    quiet = "import io, sys\n_out, sys.stdout = sys.stdout, io.StringIO()\n"
    return f"{quiet}{program}\nprint({PASSED!r}, file=_out)\n"
