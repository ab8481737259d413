"""The recipe `deepdistill_40m` whole, on fake servers: problems of every category end in its training sets.

`deepdistill_zoo` is that recipe with the zoo's models; here it reads a few of its own problems of each category.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from rich.console import Console

from tests.build.several import Servers
from tracemill.engine.resources import SHIPPED
from tracemill.engine.runner import shard_count
from tracemill.local.run import Run
from tracemill.models.fake import FakeServer
from tracemill.recipe import load_recipe

SHARES = {"teacher-weak": 1, "teacher-small": 2, "teacher-large": 3}  # of four samples, by their seeds
FEW = {"math": 6, "code": 4, "science": 4, "instruction following": 4, "multi-turn": 4, "other": 4}
RULES = {"math", "code", "science", "instruction", "reward"}
_TABLES = ("problems/demo_open.jsonl", "problems/demo_instructions.jsonl", "problems/demo_talk.jsonl")
_ASSERT = re.compile(r"assert (\w+)\((.+)\) == (.+)")


def few() -> list[dict[str, Any]]:
    """The first problems of each category of the recipe's own files."""
    left = Counter(FEW)
    found = []
    for name in _TABLES:
        for line in (SHIPPED / name).read_text(encoding="utf-8").splitlines():
            row = {"category": "instruction following", "tests": None, "reference_answer": None, **json.loads(line)}
            row = {"messages": [{"role": "user", "content": row.get("prompt")}], **row}
            if left[row["category"]] > 0:
                left[row["category"]] -= 1
                found.append(row)
    return found


def asked(prompt: str, problems: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The problem that a prompt puts, by the longest text that stands in it; none where a text is only measured."""
    texts = {"\n".join(turn["content"] for turn in row["messages"]): row for row in problems}
    return texts.get(max((text for text in texts if text in prompt), key=len, default=""))


def answer(row: dict[str, Any]) -> str:
    """What is right of a problem, as a whole response."""
    if "response" in row:
        return str(row["response"])
    said = "That is a good answer."
    if row["tests"]:
        cases = [found.groups() for found in map(_ASSERT.match, row["tests"]) if found]
        table = ", ".join(f"{given!r}: {result}" for _, given, result in cases)
        said = f"```python\ndef {cases[0][0]}(x):\n    return {{{table}}}[str(x)]\n```"
    elif row["reference_answer"]:
        said = f"\\boxed{{{row['reference_answer']}}}"
    return f"<think>\nhm\n</think>\n<answer>\n{said}\n</answer>"


WRONG = "<think>\nhm\n</think>\n<answer>\nno, idea\n</answer>"


def servers() -> Servers:
    problems = few()

    def teacher(share: int) -> FakeServer:
        def say(prompt: str, seed: int) -> str:
            row = asked(prompt, problems)
            return answer(row) if row is not None and seed % 4 < share else WRONG

        return FakeServer(say=say)

    def judge(prompt: str, seed: int) -> str:
        right = "no, idea" not in prompt
        return (
            f'{{"score": "{5.0 if right else 0.0}"}}'
            if "science" in prompt
            else f'{{"correctness": "{1 + 4 * right}"}}'
        )

    rewarded = FakeServer(reward=lambda _, said: [4.0 if "good" in said else 1.0] * 5)
    return Servers({**{n: teacher(s) for n, s in SHARES.items()}, "judge": FakeServer(say=judge), "reward": rewarded})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Servers]:
    folder = tmp_path_factory.mktemp("paper")
    path = folder / "few.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in few()))
    columns = {name: name for name in ("messages", "reference_answer", "constraints", "category", "id")}
    source = {"kind": "jsonl", "name": "few", "path": str(path), "columns": {**columns, "test_case": "tests"}}
    own = {"name": "few", "like": "deepdistill_zoo", "sources": [source], "steps": {"judge": {"checked": 2}}}
    fakes = servers()
    done = Run(load_recipe(yaml.safe_dump(own)), str(folder / "store"), fakes.machine(), Console(quiet=True))
    done.go()
    return done, fakes


def rows(run: Run, step: str, table: str) -> list[dict[str, Any]]:
    """A step's table over all shards."""
    found = (run.store.manifest(step, shard) for shard in range(shard_count(run.store)))
    return [row for m in found if m for row in run.store.get_table(m.tables[table]).to_pylist()]


def exported(run: Run) -> dict[str, Path]:
    manifest = run.store.manifest("export", 0)
    assert manifest
    return {name: Path(run.store.path(stored.key)) for name, stored in manifest.files.items()}


def members(run: Run, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(exported(run)[f"{name}/train.parquet"]).to_pylist()
    return found


def test_every_response_of_every_category_is_scored_by_its_rule(run: tuple[Run, Servers]) -> None:
    done, _ = run
    scores = rows(done, "grade", "scores")
    assert len(scores) == 12 * sum(FEW.values())
    assert Counter(score["category"] for score in scores) == {name: 12 * count for name, count in FEW.items()}
    assert {score["rule"] for score in scores} == RULES
    for rule in RULES:
        assert {score["passed"] for score in scores if score["rule"] == rule} == {True, False}


def test_stage_one_takes_what_the_large_model_solves_sometimes(run: tuple[Run, Servers]) -> None:
    done, _ = run
    taken = defaultdict(set)
    for row in rows(done, "stage_one", "stages"):
        if row["chosen"]:
            assert row["teacher"] == "teacher-large"
            taken[row["problem_id"]].add(row["generation_id"])
    passed = defaultdict(set)
    for score in rows(done, "grade", "scores"):
        if score["passed"] and score["teacher"] == "teacher-large":
            passed[score["problem_id"]].add(score["generation_id"])
    grades = [grade for grade in rows(done, "grade", "grades") if grade["teacher"] == "teacher-large"]
    mixed = {grade["problem_id"] for grade in grades if 0 < grade["passed"] < grade["decided"]}
    easy = {grade["problem_id"] for grade in grades if grade["passed"] == grade["decided"]}
    assert {problem: taken[problem] for problem in mixed} == {problem: passed[problem] for problem in mixed}
    assert {grade["category"] for grade in grades if grade["problem_id"] in mixed} == set(FEW)
    chats = {grade["problem_id"] for grade in grades if grade["category"] in ("multi-turn", "other")}
    assert taken.keys() - mixed <= easy & chats


def test_the_sets_of_the_paper_are_there_and_agree_with_the_stages(run: tuple[Run, Servers]) -> None:
    done, _ = run
    first = {row["generation_id"] for row in rows(done, "stage_one", "stages") if row["chosen"]}
    assert {row["generation_id"] for row in members(done, "sft_1")} == first
    second = done.store.manifest("stage_two", 0)
    assert second
    chosen = {row["generation_id"] for row in done.store.get_table(second.tables["stages"]).to_pylist()}
    assert {row["generation_id"] for row in members(done, "sft_2")} == chosen
    assert {row["category"] for row in members(done, "rlvr")} == {"math", "code", "instruction following"}
    assert {row["category"] for row in members(done, "pairs")} == set(FEW)
    problems = [{row["problem_id"] for row in members(done, name)} for name in ("sft_1", "control")]
    assert len(problems[0]) == len(problems[1]) > 0


def test_the_whole_set_has_the_published_files_of_each_category_model_and_pass(run: tuple[Run, Servers]) -> None:
    done, _ = run
    files = {name.split("/")[1] for name in exported(done) if name.startswith("distilled_40m/") and name.endswith("l")}
    assert files <= {
        f"{category}_{model}_{number}pass.jsonl"
        for category in ("code", "math", "science", "if", "other")
        for model in ("r1", "7b", "1.5b")
        for number in (1, 2, 3, 4)
    }
    assert {name.split("_")[0] for name in files} == {"code", "math", "science", "if", "other"}
    assert {name.split("_")[1] for name in files} == {"r1", "7b", "1.5b"}


def test_turns_of_a_talk_are_kept_in_what_is_trained_on(run: tuple[Run, Servers]) -> None:
    done, _ = run
    talks = [row for row in members(done, "sft_1") if row["category"] == "multi-turn"]
    assert talks
    assert {len(row["messages"]) for row in talks} <= {4, 6}


def test_a_second_run_asks_and_makes_nothing(run: tuple[Run, Servers]) -> None:
    done, fakes = run
    before = fakes.asked
    again = Run(done.recipe, done.store.root, done.resources, Console(quiet=True))
    again.go()
    assert (again.computed, fakes.asked) == (0, before)
