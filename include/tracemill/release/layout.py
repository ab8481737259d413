"""Guarantees the published row: AM-DeepSeek-R1-Distilled-1.4M's `messages` with `info`, key for key and byte for byte.

Source of every rule here: that dataset's card and published sample (arXiv 2503.19633). One JSON object a line with
Python's separators, non-ASCII kept raw; a user turn, then the assistant's; both carry an `info` of five keys, in an
order of their own; reference answer and test case live in the user's `info` only; and the assistant's content is
`"<think>" + think_content + "</think>\\n<answer>" + answer_content + "</answer>"`. See docs/design/release.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

TEST_CASE = pa.struct([("test_code", pa.string()), ("test_entry_point", pa.string())])
INFO = pa.struct(
    [
        ("source", pa.string()),
        ("reference_answer", pa.string()),
        ("test_case", TEST_CASE),
        ("think_content", pa.string()),
        ("answer_content", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("info", INFO)])))]
)

FEATURES = """\
  features:
  - name: messages
    list:
    - name: content
      dtype: string
    - name: info
      struct:
      - name: answer_content
        dtype: string
      - name: reference_answer
        dtype: string
      - name: source
        dtype: string
      - name: test_case
        struct:
        - name: test_code
          dtype: string
        - name: test_entry_point
          dtype: string
      - name: think_content
        dtype: string
    - name: role
      dtype: string
"""


def response_text(think: str, answer: str) -> str:
    """The assistant's message: thinking and answer in their tags, nothing added inside them."""
    return f"<think>{think}</think>\n<answer>{answer}</answer>"


def published_row(problem: Mapping[str, Any], generation: Mapping[str, Any]) -> dict[str, Any]:
    """One released row from a `problems` row and a `generations` row, in the published key order.

    A problem of several turns gives them all, in order, before the response; its reference answer and test case are in
    the last user turn, the one that is answered. A turn of another role (a system prompt) is put before the user turn
    that follows it, parted by a blank line: the layout has user and assistant turns only.
    """
    turns = _turns(problem["messages"] or []) or [("user", problem["prompt"])]
    source = problem.get("released_as") or problem["source"]
    messages = [_message(role, content, _info(role, source)) for role, content in turns]
    asked = messages[-1]["info"]
    asked["reference_answer"] = problem["reference_answer"]
    asked["test_case"] = published_test_case(problem["test_case"])
    think = generation["think_content"]
    answer = generation["answer_content"]
    origin = response_source(generation)
    info = {**_info("assistant", origin), "think_content": think, "answer_content": answer}
    return {"messages": [*messages, _message("assistant", response_text(think, answer), info)]}


def response_source(generation: Mapping[str, Any]) -> str:
    """What the release calls the origin of a response, apart from who wrote it; the teacher where nothing says so."""
    return str(generation.get("response_source") or generation["teacher"])


def published_line(row: Mapping[str, Any]) -> bytes:
    """The row as one line of JSON, as Python's `json` writes it, in UTF-8, with its line feed."""
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def published_test_case(text: str | None) -> dict[str, str | None] | None:
    """A problem's tests as the layout's struct. Python tests are source text; any other shape is its JSON text.

    `{test_code, test_entry_point}` (KodCode) as it is; `{test, entry_point}` (HumanEval) gives the file that defines
    `check`; `{assert_case, fn_name}` its lines; the rest (stdin/stdout, calls) the JSON text, from `{` or `[` on.
    """
    if text is None:
        return None
    case = json.loads(text)
    if not isinstance(case, dict):
        return {"test_code": json.dumps(case, ensure_ascii=False), "test_entry_point": None}
    if isinstance(case.get("test_code"), str):
        return {"test_code": case["test_code"], "test_entry_point": case.get("test_entry_point")}
    if isinstance(case.get("test"), str):
        return {"test_code": case["test"], "test_entry_point": case.get("entry_point")}
    if isinstance(case.get("assert_case"), list):
        return {"test_code": "\n".join(case["assert_case"]), "test_entry_point": case.get("fn_name")}
    return {"test_code": json.dumps(case, ensure_ascii=False), "test_entry_point": case.get("fn_name")}


def _turns(messages: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    turns: list[tuple[str, str]] = []
    before: list[str] = []
    for message in messages:
        role = message["role"]
        content = message["content"]
        if role == "assistant":
            turns.append((role, content))
        elif role == "user":
            turns.append((role, "\n\n".join([*before, content])))
            before = []
        else:
            before.append(content)
    while turns and turns[-1][0] == "assistant":
        turns.pop()  # an answer of the source itself: the released response takes its place
    if before and turns:
        turns[-1] = ("user", "\n\n".join([turns[-1][1], *before]))
    return turns


def _info(role: str, source: str) -> dict[str, Any]:
    keys = ("think_content", "answer_content", "reference_answer", "test_case")
    order = keys if role == "assistant" else (*keys[2:], *keys[:2])
    return {"source": source, **dict.fromkeys(order)}


def _message(role: str, content: str, info: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": content, "info": info}
