"""Writes the card of each set of an export: how to load it, what it holds, and what the selection did to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import yaml
from huggingface_hub import DatasetCardData

from tracemill.release.exports.sets import AnySet, Control, Distilled40M, Pairs, Rlvr, Sft
from tracemill.release.licences import family, terms
from tracemill.release.markdown import cell, table

_EMPTY = (
    "This set has no row: no problem met what it asks for. Its file has the columns; `datasets` refuses a split "
    "without rows unless it streams.\n"
)
_EVERY = "default"  # the configuration that has every file
_BIAS = "Shares of the rows of each; `before selection` is every response that was scored."


def set_card(
    name: str,
    one: AnySet,
    schema: pa.Schema,
    rows: Mapping[str, int],
    licences: Counter[str],
    bias: str,
    lucky: int,
    settings: Mapping[str, Any],
) -> str:
    """The text of a set's README.md. `rows`: by file; `bias`: the table of the census; `lucky`: rows that luck passed.

    `settings`: those of the steps that graded and selected.
    """
    total = sum(rows.values())
    granted = terms(licences)
    sections = [
        _front_matter(name, schema, rows, granted.licence),
        f"# {name}\n\n{what_it_holds(one)}\n",
        f"{total:,} rows.\n"
        if total
        else "This set has no row: no problem met what it asks. Its file has the columns.\n",
        f"Licence: the most restrictive of any row, **{cell(granted.licence)}** ({granted.restriction}).\n",
        _apart(one),
        f"## Columns\n\n{table(('column', 'type'), [(f.name, str(f.type)) for f in schema])}",
        f"## Before and after selection\n\n{_BIAS}\n\n{bias}",
        _luck(one, lucky, total),
        f"## This set\n\n```yaml\n{yaml.safe_dump(one.model_dump(mode='json'), sort_keys=False)}```\n",
        f"## Settings\n\n```yaml\n{yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)}```\n",
    ]
    return "\n".join(section for section in sections if section)


def what_it_holds(one: AnySet) -> str:
    """A sentence or two on what the rows of a set are."""
    match one:
        case Distilled40M():
            return (
                "Every response that reached selection, in the 14 columns and under the file names of "
                "AM-DeepSeek-Distilled-40M (arXiv 2504.17565). `pass_rate_*` is the share of a model's decided "
                "responses that pass; `verify_score` is in its rule's own range; null is what nobody could tell. Of a "
                "conversation `question` holds what the user said, and no earlier answer."
            )
        case Sft(stage=1):
            return "Responses of stage I: problems that a model solves sometimes, with the responses that solve them."
        case Sft():
            return "Stage II, for annealing: the problems of the highest variation, one passing response each."
        case Rlvr():
            return (
                "Problems for reinforcement learning with verifiable rewards. `verifiers` are tracemill's with "
                "their settings as JSON: a response passes when each of them says pass. `rates` tells, for each model "
                "and mode, k of n (`passed` of `decided`) with the interval of the pass rate; `sampling` how it was "
                "sampled, and by which engine; where it names a `policy`, sampling ended early and the rate is biased. "
                "A problem that only a judge's word passed is not here."
            )
        case Pairs():
            return "Of each problem a response that passes and one by the same model that fails."
        case Control():
            return (
                f"As many problems as `{one.like}`, drawn by a hash of their ids from all that were scored, with every "
                "scored response, right or wrong: what training on it lacks is what the filter brings."
            )


def _front_matter(name: str, schema: pa.Schema, rows: Mapping[str, int], licence: str) -> str:
    head = DatasetCardData(
        pretty_name=name,
        license=licence if family(licence) != "unknown" else "other",
        task_categories=["text-generation"],
        tags=["reasoning", "tracemill"],
        configs=[
            {"config_name": config, "data_files": files, **({} if place else {"default": True})}
            for place, (config, files) in enumerate(_configs(list(rows)).items())
        ],
    )
    flat = all(pa.types.is_string(one.type) or pa.types.is_floating(one.type) for one in schema)
    typed = _features(schema, [file for file in rows if file.endswith(".jsonl")]) if flat else ""
    return f"---\n{head.to_yaml()}\n{typed}---\n"


def _configs(files: Sequence[str]) -> dict[str, str | list[str]]:
    """The files of each configuration: of all of them first, which is what loads where none is named, and of each."""
    each: dict[str, str | list[str]] = {file.rsplit(".", 1)[0]: file for file in files}
    return {_EVERY: list(files), **each} if len(files) > 1 else each


def _features(schema: pa.Schema, files: list[str]) -> str:
    """The types of the columns for `datasets`, which would guess them from the first rows of JSON lines."""
    if not files:
        return ""
    features = [{"name": one.name, "dtype": "string" if pa.types.is_string(one.type) else "float32"} for one in schema]
    named = [{"config_name": config, "features": features} for config in _configs(files)]
    return str(yaml.dump({"dataset_info": named}, sort_keys=False, Dumper=_Plain))


class _Plain(yaml.SafeDumper):
    """YAML without anchors: readers of cards do not all know them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _apart(one: AnySet) -> str:
    return f"No problem of {', '.join(one.apart_from)} is in it.\n" if one.apart_from else ""


def _luck(one: AnySet, lucky: int, total: int) -> str:
    if not isinstance(one, Sft):
        return ""
    return (
        f"## Lucky passes\n\n{lucky:,} of {total:,} rows are passes of problems whose pass rate all but surely lies "
        "below the step's `lucky_below`; its `lucky: drop` leaves them out.\n"
    )
