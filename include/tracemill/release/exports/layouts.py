"""Guarantees the rows of each set: typed columns, whatever the rows hold; and the published files of the 40M layout.

The 40M columns, their order, the dot in `pass_rate_1.5b` and the names of the files are those of
AM-DeepSeek-Distilled-40M (arXiv 2504.17565). Pairs are what trainers of preferences read: `prompt`, `chosen` and
`rejected` are lists of messages.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from tracemill.engine.tables.rows import MESSAGE
from tracemill.release.exports.sets import AnySet, Distilled40M, Pairs, Rlvr
from tracemill.release.layout import SCHEMA as MESSAGES
from tracemill.release.layout import published_row, response_text

_TURNS = pa.list_(MESSAGE)
_RATE = pa.struct(
    [
        ("model", pa.string()),
        ("mode", pa.string()),
        ("asked", pa.int32()),
        ("decided", pa.int32()),
        ("passed", pa.int32()),
        ("pass_rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
_SAMPLING = pa.struct(
    [("model", pa.string()), ("sampling", pa.string()), ("engine", pa.string()), ("versions", pa.list_(pa.string()))]
)
_VERIFIER = pa.struct([("name", pa.string()), ("settings", pa.string())])
_ABOUT = [("problem_id", pa.string()), ("category", pa.string()), ("source", pa.string()), ("license", pa.string())]

DISTILLED_40M = pa.schema(
    [
        ("question", pa.string()),
        ("answer", pa.string()),
        ("question_source", pa.string()),
        ("answer_source", pa.string()),
        ("category", pa.string()),
        ("ground_truth", pa.string()),
        ("test_case", pa.string()),
        ("instruction_constrain", pa.string()),
        ("pass_rate_r1", pa.float32()),
        ("pass_rate_7b", pa.float32()),
        ("pass_rate_1.5b", pa.float32()),
        ("verify_score", pa.float32()),
        ("ppl", pa.float32()),
        ("model_name", pa.string()),
    ]
)
SFT = pa.schema([*MESSAGES, *_ABOUT, ("generation_id", pa.string()), ("verify_score", pa.float32())])
PAIRS = pa.schema(
    [
        ("prompt", _TURNS),
        ("chosen", _TURNS),
        ("rejected", _TURNS),
        *_ABOUT,
        ("model", pa.string()),
        ("chosen_id", pa.string()),
        ("rejected_id", pa.string()),
        ("chosen_score", pa.float32()),
        ("rejected_score", pa.float32()),
    ]
)
RLVR = pa.schema(
    [
        ("prompt", _TURNS),
        ("reference_answer", pa.string()),
        ("test_case", pa.string()),
        ("constraints", pa.string()),
        ("reference_solution", pa.string()),
        ("comparison", pa.string()),
        ("verifiers", pa.list_(_VERIFIER)),
        ("rates", pa.list_(_RATE)),
        ("sampling", pa.list_(_SAMPLING)),
        *_ABOUT,
    ]
)
# What the published files call a category, and the value in their rows; several turns have no file of their own there.
FILE_OF = {"code": "code", "math": "math", "science": "science", "instruction following": "if"}
VALUE_OF = {"instruction following": "instruction follow"}
OTHER = "other"


@dataclass(frozen=True)
class Known:
    """All that the rows of one shard are made of: problems and responses by id, and what is known of models.

    `problems` and `generations` are rows of those tables, `scores` the facts of each response, `rates` those of each
    problem, `perplexity` by response. `verifiers` and `sampling`: by name, as the manifests say.
    """

    problems: Mapping[str, Mapping[str, Any]]
    generations: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, Mapping[str, Any]]
    rates: Mapping[str, list[dict[str, Any]]]
    decided_by: Mapping[str, list[str]]
    perplexity: Mapping[str, float]
    verifiers: Mapping[str, str]
    sampling: Mapping[str, list[dict[str, Any]]]


Row = dict[str, Any]


def schema_of(one: AnySet) -> pa.Schema:
    """The columns of a set's rows."""
    match one:
        case Distilled40M():
            return DISTILLED_40M
        case Pairs():
            return PAIRS
        case Rlvr():
            return RLVR
    return SFT


def row_of(one: AnySet, known: Known) -> Callable[[Row], Row]:
    """What makes a row of the set from a member (problem_id, generation_id, and rejected_id of a pair)."""
    match one:
        case Distilled40M():
            return lambda member: _distilled(member, known, one.models)
        case Pairs():
            return lambda member: _pair(member, known)
        case Rlvr():
            return lambda member: _verifiable(member, known)
    return lambda member: _messages(member, known)


def file_of(row: Row, known: Known, models: Mapping[str, str]) -> str:
    """The published file of a member of the 40M layout, without its suffix: `math_r1_1pass`; passes count from 1."""
    generation = known.generations[row["generation_id"]]
    category = FILE_OF.get(_category(row, known), OTHER)
    return f"{category}_{models[generation['teacher']]}_{row['pass']}pass"


def _category(member: Row, known: Known) -> str:
    scored = known.scores.get(member["generation_id"], {}).get("category")
    return str(scored or known.problems[member["problem_id"]]["category"] or OTHER)


def _about(member: Row, known: Known) -> Row:
    problem = known.problems[member["problem_id"]]
    source = problem["released_as"] or problem["source"]
    return {
        "problem_id": problem["id"],
        "category": _category(member, known),
        "source": source,
        "license": problem["license"],
    }


def _answer(generation: Mapping[str, Any]) -> str:
    return response_text(generation["think_content"], generation["answer_content"])


def _distilled(member: Row, known: Known, models: Mapping[str, str]) -> Row:
    problem = known.problems[member["problem_id"]]
    generation = known.generations[member["generation_id"]]
    category = _category(member, known)
    rates = _pooled(known.rates[problem["id"]], models)
    return {
        "question": problem["prompt"],
        "answer": _answer(generation),
        "question_source": problem["released_as"] or problem["source"],
        "answer_source": generation["response_source"] or generation["teacher"],
        "category": VALUE_OF.get(category, category) if category in FILE_OF else OTHER,
        "ground_truth": problem["reference_answer"],
        "test_case": problem["test_case"],
        "instruction_constrain": problem["constraints"],
        **{f"pass_rate_{name}": rates.get(name) for name in ("r1", "7b", "1.5b")},
        "verify_score": known.scores.get(generation["id"], {}).get("raw"),
        "ppl": known.perplexity.get(generation["id"]),
        "model_name": generation["teacher"],
    }


def _pooled(rates: Sequence[Row], models: Mapping[str, str]) -> dict[str, float]:
    """The pass rate of each of the paper's models: of all modes together, as its files hold the responses of all."""
    passed = Counter[str]()
    decided = Counter[str]()
    for one in rates:
        if one["model"] in models:
            passed[models[one["model"]]] += one["passed"]
            decided[models[one["model"]]] += one["decided"]
    return {name: passed[name] / count for name, count in decided.items() if count}


def _messages(member: Row, known: Known) -> Row:
    generation = known.generations[member["generation_id"]]
    row = published_row(known.problems[member["problem_id"]], generation)
    score = known.scores.get(generation["id"], {}).get("score")
    return {**row, **_about(member, known), "generation_id": generation["id"], "verify_score": score}


def _prompt(problem: Mapping[str, Any]) -> list[dict[str, str]]:
    return problem["messages"] or [{"role": "user", "content": problem["prompt"]}]


def _pair(member: Row, known: Known) -> Row:
    sides = {"chosen": member["generation_id"], "rejected": member["rejected_id"]}
    said = {side: known.generations[identity] for side, identity in sides.items()}
    return {
        "prompt": _prompt(known.problems[member["problem_id"]]),
        **{side: [{"role": "assistant", "content": _answer(one)}] for side, one in said.items()},
        **_about(member, known),
        "model": said["chosen"]["teacher"],
        **{f"{side}_id": identity for side, identity in sides.items()},
        **{f"{side}_score": known.scores[identity]["score"] for side, identity in sides.items()},
    }


def _verifiable(member: Row, known: Known) -> Row:
    problem = known.problems[member["problem_id"]]
    names = known.decided_by[problem["id"]]
    rates = known.rates[problem["id"]]
    models = {one["model"] for one in rates}
    columns = ("reference_answer", "test_case", "constraints", "reference_solution", "comparison")
    return {
        "prompt": _prompt(problem),
        **{name: problem[name] for name in columns},
        "verifiers": [{"name": name, "settings": known.verifiers[name]} for name in names],
        "rates": rates,
        "sampling": [one for name in sorted(models & set(known.sampling)) for one in known.sampling[name]],
        **_about(member, known),
    }


def perplexities(measurements: pl.DataFrame) -> dict[str, float]:
    """The perplexity of each response that has one; of several measurers' the lowest."""
    found = measurements.filter(metric="perplexity").group_by("generation_id").agg(pl.col("value").min())
    return dict(found.iter_rows())


def settings_text(settings: Mapping[str, Any]) -> str:
    """Settings as JSON with sorted keys: equal settings give equal texts."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)
