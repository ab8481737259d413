"""A log is what inspect_ai's own models read: the schema in the fixture is made from them (see its README)."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from tests.build.tables import inputs_of
from tracemill.engine.resources import Resources
from tracemill.engine.tables import columns_of
from tracemill.evaluate.inspect_log import Log, write_logs
from tracemill.evaluate.step import Evaluate

SCHEMA = Path(__file__).parents[2] / "fixtures" / "inspect_log" / "schema.json"
TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Add three and four."}]


def answer(identity: str, sample: int, **fields: Any) -> dict[str, Any]:
    parts = {"think_content": "hm", "answer_content": "\\boxed{7}", "finish_reason": "stop", "seconds": 0.5}
    return {"id": identity, "sample_index": sample, "prompt_tokens": 3, "completion_tokens": 5, **parts, **fields}


GENERATIONS = [
    answer("g0", 0, problem_id="p"),
    answer("g1", 1, problem_id="p", answer_content=None, finish_reason="length"),
    answer("g2", 0, problem_id="q", think_content=None, answer_content="perhaps", finish_reason="unheard_of"),
]
SCORES = [
    {"generation_id": "g0", "problem_id": "p", "sample_index": 0, "rule": "math", "score": 1.0, "passed": True},
    {
        "generation_id": "g1",
        "problem_id": "p",
        "sample_index": 1,
        "rule": "math",
        "score": 0.0,
        "passed": False,
        "reason": "cut",
    },
    {"generation_id": "g2", "problem_id": "q", "sample_index": 0, "rule": "math", "reason": "no_answer"},
]


@pytest.fixture
def log(tmp_path: Path) -> zipfile.ZipFile:
    """The log of two items, one of several turns; one sample passed, one was cut, one could not be told."""
    of = {"teacher": "the student/7B"}
    problems = [
        {
            "id": "p",
            "source": "b",
            "native_id": "b/1",
            "prompt": "What is 3 + 4?",
            "reference_answer": "7",
            "category": "math",
        },
        {
            "id": "q",
            "source": "b",
            "prompt": "Be brief.\n\nAdd three and four.",
            "messages": TURNS,
            "published": "2025-02-06",
        },
    ]
    grades = [
        {"problem_id": "p", **of, "asked": 2, "decided": 2, "passed": 1, "tokens": 10},
        {"problem_id": "q", **of, "asked": 1, "decided": 0, "passed": 0, "tokens": 5},
    ]
    tables = {
        "problems": problems,
        "generations": [{**row, **of} for row in GENERATIONS],
        "scores": [{**row, **of} for row in SCORES],
        "grades": grades,
    }
    inputs = inputs_of(tmp_path, tables)
    made = Evaluate.model_validate({"kind": "evaluate", "draws": 200, "second_opinion": False})
    found = {name: pl.DataFrame(t) for name, t in made.run(Resources(workers=1), inputs).tables.items()}
    scores, items = found["evaluations"], found["evaluation_items"]
    (path,) = write_logs(inputs, scores, items, tmp_path, "f" * 64, "2026-11-30T05:00:00+00:00")
    assert path.name == "b_the-student-7B.eval"
    return zipfile.ZipFile(path)


def test_no_two_logs_have_one_name(tmp_path: Path) -> None:
    """Trap: what is no letter of a file's name is left out, and a log was written over another, both unreadable."""
    models = [("b", "a/b", None), ("b", "a-b", None), ("b", "A-B", None), ("b_a", "c", None), ("b", "a", "c")]
    models += [("b", "x" * 300, None), ("b", "x" * 301, None)]
    known = {"title": "b", "asked": 0, "decided": 0, "cut": None, "pass_at_1": None, "low": None, "high": None}
    rows = [{"benchmark": one, "teacher": teacher, "mode": mode, **known} for one, teacher, mode in models]
    items = pl.DataFrame(columns_of("evaluation_items").empty_table())
    paths = write_logs(inputs_of(tmp_path, {}), pl.DataFrame(rows), items, tmp_path, "f" * 64, "2026-11-30T05:00:00Z")
    assert len({path.name.casefold() for path in paths}) == len(models)
    assert [
        (told["model"], told["dataset"]["name"])
        for told in (read(zipfile.ZipFile(one), "header.json")["eval"] for one in paths)
    ] == [(teacher, one) for one, teacher, _ in models]


@pytest.mark.parametrize(
    ("samples", "status"),
    [({"p": 2, "q": 2}, "success"), ({"p": 2, "q": 1}, "cancelled"), ({"p": 1, "q": 0}, "cancelled")],
)
def test_a_log_is_a_success_when_each_item_has_each_sample(
    samples: dict[str, int], status: str, tmp_path: Path
) -> None:
    """Trap: inspect_ai's `read_eval_log_samples` raises for the first sample that a successful log lacks."""
    known = dict.fromkeys(("title", "benchmark", "teacher"), "b") | dict.fromkeys(("asked", "decided"), 0)
    log = Log(tmp_path / "b.eval", {**known, **dict.fromkeys(("mode", "pass_at_1", "low", "high", "cut"))}, "f", "2026")
    usage = dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), 0)
    told: dict[str, Any] = {"target": "", "scores": {}, "metadata": {}, "model_usage": {}, "input": ""}
    for item, count in samples.items():
        for epoch in range(1, count + 1):
            log.add({"id": item, "epoch": epoch, "output": {"usage": usage}, **told})
    log.close(pl.DataFrame({"problem_id": list(samples), "passed": 0, "decided": 0}))
    assert read(zipfile.ZipFile(tmp_path / "b.eval"), "header.json")["status"] == status


def read(log: zipfile.ZipFile, name: str) -> Any:
    return json.loads(log.read(name))


def closed(schema: Any) -> Any:
    """The schema with no property but those named: inspect_ai passes over a name that it does not know."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **found} if "properties" in found else found


def test_every_file_of_a_log_fits_inspects_own_schema(log: zipfile.ZipFile) -> None:
    schema = closed(json.loads(SCHEMA.read_text(encoding="utf-8")))
    check = jsonschema.Draft202012Validator
    samples = [read(log, name) for name in log.namelist() if name.startswith("samples/")]
    check(schema["EvalLog"]).validate({**read(log, "header.json"), "samples": samples})
    for summary in read(log, "summaries.json"):
        check(schema["EvalSampleSummary"]).validate(summary)
    for reduction in read(log, "reductions.json"):
        check(schema["EvalSampleReductions"]).validate(reduction)


def test_a_sample_has_its_verdict_its_thinking_and_how_it_ended(log: zipfile.ZipFile) -> None:
    first, second, third = (read(log, f"samples/{name}.json") for name in ("p_epoch_1", "p_epoch_2", "q_epoch_1"))
    assert [one["scores"]["tracemill"]["value"] for one in (first, second, third)] == ["C", "I", "N"]
    assert [one["output"]["choices"][0]["stop_reason"] for one in (first, second, third)] == [
        "stop",
        "max_tokens",
        "unknown",
    ]
    assert first["output"]["choices"][0]["message"]["content"] == [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "text", "text": "\\boxed{7}"},
    ]
    assert (first["input"], first["target"]) == ("What is 3 + 4?", "7")
    assert [turn["role"] for turn in third["messages"]] == ["system", "user", "assistant"]


def test_what_was_scored_is_in_the_header(log: zipfile.ZipFile) -> None:
    header = read(log, "header.json")
    (score,) = header["results"]["scores"]
    assert (score["scored_samples"], score["unscored_samples"]) == (2, 1)
    assert score["metrics"]["accuracy"]["value"] == 0.5
    assert header["eval"]["config"]["epochs"] == 2
    assert header["status"] == "cancelled"  # q has one sample where p has two
    assert header["eval"]["dataset"]["sample_ids"] == ["p", "q"]
    assert header["stats"]["model_usage"]["the student/7B"]["output_tokens"] == 15
    assert read(log, "reductions.json")[0]["samples"] == [{"value": 0.5, "sample_id": "p"}]
