"""The published row, against a row of AM-DeepSeek-R1-Distilled-1.4M as its card prints it, byte for byte."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tracemill.release.layout import (
    FEATURES,
    SCHEMA,
    published_line,
    published_row,
    published_test_case,
    response_text,
)

THINK = "Okay, let me see. So the radius is 4x -3.\n"
ANSWER = "\nThe radius \\( r \\) is \\( \\boxed{4x - 3} \\).\n"

# The published sample's form: which keys, in which order, which separators, what is null. The words are shortened.
PUBLISHED = (
    r'{"messages": [{"role": "user", "content": "Determine the radius ...", '
    r'"info": {"source": "natural_reasoning", "reference_answer": null, "test_case": null, '
    r'"think_content": null, "answer_content": null}}, '
    r'{"role": "assistant", "content": "<think>Okay, let me see. So the radius is 4x -3.\n</think>\n<answer>\n'
    r'The radius \\( r \\) is \\( \\boxed{4x - 3} \\).\n</answer>", '
    r'"info": {"source": "am-0309", "think_content": "Okay, let me see. So the radius is 4x -3.\n", '
    r'"answer_content": "\nThe radius \\( r \\) is \\( \\boxed{4x - 3} \\).\n", '
    r'"reference_answer": null, "test_case": null}}]}' + "\n"
)


def problem(**changes: Any) -> dict[str, Any]:
    plain = {"source": "natural_reasoning", "prompt": "Determine the radius ...", "messages": None}
    return {**plain, "reference_answer": None, "test_case": None, **changes}


def generation(think: str = THINK, answer: str = ANSWER) -> dict[str, Any]:
    return {"teacher": "am-0309", "think_content": think, "answer_content": answer}


def test_a_row_is_the_published_one_byte_for_byte() -> None:
    assert published_line(published_row(problem(), generation())).decode() == PUBLISHED


@pytest.mark.parametrize(
    ("think", "answer"),
    [
        pytest.param("a", "b", id="no line feeds are forced"),
        pytest.param("\n\n a \n", "\n b\n\n", id="line feeds are kept"),
        pytest.param("解：因为", "答案是 $4$", id="Chinese"),
        pytest.param('"quoted" \\ and \t tab', "\u2028 and \x07", id="what JSON must escape, and what it need not"),
    ],
)
def test_content_is_exactly_the_two_parts_in_their_tags(think: str, answer: str) -> None:
    line = published_line(published_row(problem(), generation(think, answer)))
    assistant = json.loads(line)["messages"][1]

    assert assistant["content"] == f"<think>{think}</think>\n<answer>{answer}</answer>"
    parts = re.fullmatch(r"<think>(.*?)</think>\s*<answer>(.*?)</answer>\s*", assistant["content"], re.DOTALL)
    assert parts is not None
    assert (
        parts.groups() == (think, answer) == (assistant["info"]["think_content"], assistant["info"]["answer_content"])
    )
    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


def test_text_that_is_not_ascii_is_kept_raw() -> None:
    assert "解：因为".encode() in published_line(published_row(problem(), generation("解：因为", "4")))


def test_reference_and_tests_live_in_the_users_info_only() -> None:
    case = json.dumps({"test_code": "def test_f(): ...", "test_entry_point": "f"})
    user, assistant = published_row(problem(reference_answer="4", test_case=case), generation())["messages"]

    assert user["info"]["reference_answer"] == "4"
    assert user["info"]["test_case"] == {"test_code": "def test_f(): ...", "test_entry_point": "f"}
    assert assistant["info"]["reference_answer"] is assistant["info"]["test_case"] is None


@pytest.mark.parametrize(
    ("case", "published"),
    [
        pytest.param(None, None, id="none"),
        pytest.param(
            {"test_entry_point": "f", "test_code": "from solution import f"},
            ("from solution import f", "f"),
            id="pytest",
        ),
        pytest.param({"test_code": "assert 1"}, ("assert 1", None), id="pytest without an entry point"),
        pytest.param(
            {"prompt": "def f():", "test": "def check(f): ...", "entry_point": "f"},
            ("def check(f): ...", "f"),
            id="HumanEval",
        ),
        pytest.param(
            {"call_type": "assert", "fn_name": "f", "assert_case": ["assert f(1) == 2", "assert f(2) == 3"]},
            ("assert f(1) == 2\nassert f(2) == 3", "f"),
            id="assert lines",
        ),
        pytest.param(
            {"inputs": ["1\n"], "outputs": ["2"]}, ('{"inputs": ["1\\n"], "outputs": ["2"]}', None), id="stdio"
        ),
        pytest.param(
            {"inputs": [[1]], "outputs": [2], "fn_name": "f"},
            ('{"inputs": [[1]], "outputs": [2], "fn_name": "f"}', "f"),
            id="calls",
        ),
        pytest.param(
            [{"input": "1", "output": "é"}],
            ('[{"input": "1", "output": "é"}]', None),
            id="a list, as Codeforces has it",
        ),
    ],
)
def test_every_shape_of_tests_fits_the_struct(case: Any, published: tuple[str, str | None] | None) -> None:
    found = published_test_case(None if case is None else json.dumps(case))

    assert found == (published and {"test_code": published[0], "test_entry_point": published[1]})


@pytest.mark.parametrize(
    ("turns", "roles", "asked"),
    [
        pytest.param(
            [("user", "a"), ("assistant", "b"), ("user", "c")], ["user", "assistant", "user"], "c", id="several turns"
        ),
        pytest.param([("system", "be brief"), ("user", "a")], ["user"], "be brief\n\na", id="a system prompt"),
        pytest.param(
            [("user", "a"), ("system", "be brief")], ["user"], "a\n\nbe brief", id="a system prompt at the end"
        ),
        pytest.param([("user", "a"), ("assistant", "b")], ["user"], "a", id="the source's own last answer"),
        pytest.param([], ["user"], "Determine the radius ...", id="an empty list"),
    ],
)
def test_turns_before_the_response(turns: list[tuple[str, str]], roles: list[str], asked: str) -> None:
    messages = [{"role": role, "content": content} for role, content in turns]
    row = published_row(problem(messages=messages, reference_answer="42"), generation())["messages"]

    assert [turn["role"] for turn in row] == [*roles, "assistant"]
    assert (row[-2]["content"], row[-2]["info"]["reference_answer"]) == (asked, "42")
    assert all(turn["info"]["reference_answer"] is None for turn in row if turn is not row[-2])


def test_the_features_of_the_card_are_the_schema_of_the_parquet_file() -> None:
    def kinds(feature: dict[str, Any]) -> Any:
        if "struct" in feature:
            return {inner["name"]: kinds(inner) for inner in feature["struct"]}
        return feature["dtype"]

    def arrow(kind: pa.DataType) -> Any:
        return {field.name: arrow(field.type) for field in kind} if pa.types.is_struct(kind) else str(kind)

    listed = yaml.safe_load(FEATURES)["features"][0]
    assert {"name": listed["name"], **{f["name"]: kinds(f) for f in listed["list"]}} == {
        "name": "messages",
        **arrow(SCHEMA.field("messages").type.value_type),
    }


def test_response_text_adds_nothing_inside_the_tags() -> None:
    assert response_text("", "") == "<think></think>\n<answer></answer>"
