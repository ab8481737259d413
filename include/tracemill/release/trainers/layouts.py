"""Lays released rows out as trainers read them: the same words under other columns, typed so that every loader agrees.

`am` is the published layout (layout.py). The others part a row into the turns before the response, its thinking and its
answer. Which of them a trainer's template keeps whole is in docs/design/training.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

import polars as pl
import pyarrow as pa

from tracemill.errors import RecipeError
from tracemill.release.layout import SCHEMA

LayoutName = Literal[
    "am",
    "prompt_completion",
    "prompt_completion_reasoning",
    "prompt_completion_thinking",
    "messages",
    "gptoss",
    "am_thinking",
]
LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)

# Table 1 of arXiv 2503.19633, word for word: the system prompt of the paper's training, as `--system am`.
AM_SYSTEM = (
    "You are a helpful assistant. To answer the user's question, you first think about the reasoning process and then "
    "provide the user with the answer. The reasoning process and answer are enclosed within <think> and <answer> tags, "
    "respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>."
)

_TEXT = pa.string()
_TURN = [("role", _TEXT), ("content", _TEXT)]
_SAID = pa.list_(pa.struct(_TURN))
_INFO = pa.struct(
    [
        *((name, _TEXT) for name in ("source", "category", "ground_truth", "test_case", "instruction_constrain")),
        *((name, _TEXT) for name in ("think_content", "answer_content")),
        ("verify_score", pa.float64()),
        ("model_name", _TEXT),
        ("ppl", pa.float64()),
    ]
)


def _thinking_in(field: str) -> pa.DataType:
    return pa.list_(pa.struct([*_TURN, (field, _TEXT)]))


def _prompt_and(completion: pa.DataType) -> pa.Schema:
    return pa.schema([("id", _TEXT), ("prompt", _SAID), ("completion", completion)])


SCHEMAS: Mapping[LayoutName, pa.Schema] = MappingProxyType(
    {
        "am": SCHEMA,
        "prompt_completion": _prompt_and(_SAID),
        "prompt_completion_reasoning": _prompt_and(_thinking_in("reasoning_content")),
        "prompt_completion_thinking": _prompt_and(_thinking_in("thinking")),
        "messages": pa.schema([("id", _TEXT), ("messages", _thinking_in("reasoning_content"))]),
        "gptoss": pa.schema([("id", _TEXT), ("messages", _thinking_in("thinking"))]),
        "am_thinking": pa.schema(
            [
                ("system", _TEXT),
                ("conversations", pa.list_(pa.struct([("from", _TEXT), ("value", _TEXT), ("info", _INFO)]))),
            ]
        ),
    }
)

_MESSAGES = pl.col("messages")
_LAST = _MESSAGES.list.last()
_THINK = _LAST.struct.field("info").struct.field("think_content")
_ANSWER = _LAST.struct.field("info").struct.field("answer_content")
_CONTENT = _LAST.struct.field("content")


def layout_named(name: str) -> LayoutName:
    """The layout of that name. Raises RecipeError, with the names that there are."""
    for layout in LAYOUTS:
        if layout == name:
            return layout
    raise RecipeError(f"there is no layout {name!r}; there are {', '.join(LAYOUTS)}")


def laid_out(rows: pa.Table, about: pa.Table, layout: LayoutName, system: str | None = None) -> pa.Table:
    """Released rows (the published layout, with their lines of metadata.parquet) in another layout, in the same order.

    `system`: a system prompt that every row gets; `am` has no place for one and is returned as it is.
    """
    if layout == "am":
        return rows.cast(SCHEMA)
    frame = pl.DataFrame(pl.from_arrow(rows)).with_columns(pl.DataFrame(pl.from_arrow(about)))
    schema = SCHEMAS[layout]
    made = frame.select(_columns(layout, system)).to_arrow()
    return made.select(schema.names).cast(schema)


def _columns(layout: LayoutName, system: str | None) -> list[pl.Expr]:
    identity = pl.col("generation_id").alias("id")
    match layout:
        case "messages":
            return [identity, _conversation("reasoning_content", None, system)]
        case "gptoss":  # its template takes an assistant's null for a text, so that earlier turns say ""
            return [identity, _conversation("thinking", "", system)]
        case "am_thinking":
            return [pl.lit(system or "").alias("system"), _conversations()]
        case "prompt_completion":
            said = _turn("assistant", _CONTENT)
        case "prompt_completion_reasoning":
            said = _turn("assistant", _ANSWER, reasoning_content=_THINK)
        case _:
            said = _turn("assistant", _ANSWER, thinking=_THINK)
    return [identity, _before(system, []).alias("prompt"), pl.concat_list(said).alias("completion")]


def _turn(role: str, content: pl.Expr, **more: pl.Expr) -> pl.Expr:
    named = [expression.alias(name) for name, expression in more.items()]
    return pl.struct(pl.lit(role).alias("role"), content.alias("content"), *named)


def _before(system: str | None, more: list[pl.Expr]) -> pl.Expr:
    """All turns before the response, a system prompt before them; `more`: fields of each beside role and content."""
    element = pl.element().struct
    said = pl.struct(element.field("role"), element.field("content"), *more)
    earlier = _MESSAGES.list.head(_MESSAGES.list.len() - 1).list.eval(said)
    if not system:
        return earlier
    names = [expression.meta.output_name() for expression in more]
    first = _turn("system", pl.lit(system), **{name: pl.lit(None, pl.String) for name in names})
    return pl.concat_list(first, earlier)


def _conversation(field: str, unspoken: str | None, system: str | None) -> pl.Expr:
    """All turns, the thinking in a field of its own: null for users, `unspoken` in an assistant's earlier turns."""
    quiet = pl.when(pl.element().struct.field("role") == "assistant").then(pl.lit(unspoken, pl.String)).alias(field)
    said = _turn("assistant", _ANSWER, **{field: _THINK})
    return pl.concat_list(_before(system, [quiet]), said).alias("messages")


def _conversations() -> pl.Expr:
    """The turns of AM-Thinking-v1-Distilled: what was asked is about the problem, what was said about the response."""
    head = _MESSAGES.list.head(_MESSAGES.list.len() - 2)
    earlier = head.list.eval(_line(pl.element(), {}))
    asked = _line(_MESSAGES.list.get(-2, null_on_oob=True), {"category": pl.col("category")})
    return pl.concat_list(earlier, asked, _line(_LAST, _judged())).alias("conversations")


def _judged() -> dict[str, pl.Expr]:
    passed = pl.col("verdicts").list.filter(pl.element().struct.field("status") == "pass")
    unlikely = pl.col("measurements").list.filter(pl.element().struct.field("metric") == "perplexity")
    return {
        "verify_score": passed.list.eval(pl.element().struct.field("score")).list.max(),
        "model_name": pl.col("teacher"),
        "ppl": unlikely.list.eval(pl.element().struct.field("value")).list.mean(),
    }


def _line(message: pl.Expr, known: Mapping[str, pl.Expr]) -> pl.Expr:
    info = message.struct.field("info").struct
    user = message.struct.field("role") == "user"
    tests = info.field("test_case")
    code = tests.struct.field("test_code").is_not_null()
    said: dict[str, pl.Expr] = {
        "source": info.field("source"),
        "ground_truth": info.field("reference_answer"),
        "test_case": pl.when(code).then(tests.struct.json_encode()),
        "think_content": info.field("think_content"),
        "answer_content": info.field("answer_content"),
        **known,
    }
    blank = {field.name: pl.lit(None, pl.Float64 if field.type == pa.float64() else pl.String) for field in _INFO}
    fields = [expression.alias(name) for name, expression in {**blank, **said}.items()]
    speaker = pl.when(user).then(pl.lit("human")).otherwise(message.struct.field("role"))
    value = message.struct.field("content")
    return pl.struct(speaker.alias("from"), value.alias("value"), pl.struct(fields).alias("info"))
