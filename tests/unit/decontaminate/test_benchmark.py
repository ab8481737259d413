"""Benchmark files: how questions are read, and what is said about a file that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracemill.decontaminate.benchmark import Benchmark
from tracemill.engine.resources import Resources
from tracemill.errors import SourceError


def benchmark(path: Path, **fields: Any) -> Benchmark:
    return Benchmark.model_validate({"name": "bench", "path": str(path), "field": "q", **fields})


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bench.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


READ = {
    "lines": ('{"q": "one"}\n\n{"q": "two"}\n', {}, {"0": "one", "1": "two"}),
    "a list": ('[{"q": "one"}, {"q": "two"}]', {}, {"0": "one", "1": "two"}),
    "named items": ('{"q": "one", "id": "a1"}', {"id_field": "id"}, {"a1": "one"}),
    "numbered ids": ('{"q": "one", "id": 7}', {"id_field": "id"}, {"7": "one"}),
    "an instruction cut out": ('{"q": "one\\nThink step by step."}', {"strip": ["Think step by step."]}, {"0": "one"}),
}


@pytest.mark.parametrize(("text", "fields", "expected"), READ.values(), ids=READ)
def test_questions_are_read(tmp_path: Path, text: str, fields: dict[str, Any], expected: dict[str, str]) -> None:
    assert benchmark(written(tmp_path, text), **fields).questions(Resources()) == expected


REFUSED = {
    "no such field": ('{"question": "one"}', "row 0: no text in field 'q'"),
    "blank question": ('{"q": "one"}\n{"q": " "}', "row 1: no text in field 'q'"),
    "not an object": ("[1]", "row 0: no text in field 'q'"),
    "not JSON": ('{"q": ', "is not JSON Lines"),
    "empty": ("", "has no rows"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_as_named_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        benchmark(written(tmp_path, text)).questions(Resources())


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.jsonl is not a file"):
        benchmark(tmp_path / "absent.jsonl").digest(Resources())


def test_two_items_of_one_name_are_refused(tmp_path: Path) -> None:
    rows = "\n".join(json.dumps({"q": q, "id": "same"}) for q in ("one", "two"))
    with pytest.raises(SourceError, match="two items are called 'same'"):
        benchmark(written(tmp_path, rows), id_field="id").questions(Resources())
