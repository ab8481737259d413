"""Writes the card of an export: what it is made of, how it loads, and which trainers' templates keep it whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml

from tracemill.release.markdown import cell, table
from tracemill.release.trainers.layouts import SCHEMAS, LayoutName

_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_KEPT = ("pretty_name", "license", "language", "task_categories", "size_categories", "tags")
_NAMES = {pa.string(): "string", pa.float64(): "float64"}

_ABOUT: Mapping[LayoutName, str] = {
    "am": "The layout of AM-DeepSeek-R1-Distilled-1.4M: `messages` with `info`, thinking and answer in their tags.",
    "prompt_completion": "`prompt`: every turn before the response. `completion`: the response, thinking and answer "
    "in their tags. Trainers put the loss on the completion alone, so that earlier turns are never in it.",
    "prompt_completion_reasoning": "As prompt and completion; the thinking is the completion's `reasoning_content`, "
    "the answer its `content`, and the template writes its own tags.",
    "prompt_completion_thinking": "As prompt and completion; the thinking is the completion's `thinking`, the answer "
    "its `content`, as the template of gpt-oss asks for it.",
    "messages": "`messages`, the thinking in `reasoning_content` beside the answer. Templates that do not read it lose "
    "it; with `assistant_only_loss` earlier responses are trained too.",
    "gptoss": "`messages`, the thinking in `thinking` beside the answer, as the template of gpt-oss asks for it.",
    "am_thinking": "The layout of AM-Thinking-v1-Distilled: `system` and `conversations` with `info`. `test_case` is "
    "the tests as JSON text; `verify_score` is the highest score of a verdict that passed, null where none did.",
}


# Not a star: the files of a part `math` are not those of `math-hard`.
_NUMBER = "[0-9]" * 5


def features_of(schema: pa.Schema) -> list[dict[str, Any]]:
    """The columns as `dataset_info.features` of a card, in which `datasets` reads types back exactly."""
    return [_feature(field) for field in schema]


def export_card(release_card: str, layout: LayoutName, system: str | None, rows: Mapping[str, int]) -> str:
    """The text of README.md. `rows`: by part; licence and languages are those that the release's own card states."""
    front = _FRONT.match(release_card)
    known = yaml.safe_load(front[1]) if front else {}
    features = features_of(SCHEMAS[layout])
    head = {
        **{key: known[key] for key in _KEPT if key in known},
        "configs": [
            {"config_name": part, "data_files": f"{part}-{_NUMBER}.parquet", **({} if place else {"default": True})}
            for place, part in enumerate(rows)
        ],
        "dataset_info": [{"config_name": part, "features": features} for part in rows],
    }
    block = yaml.safe_dump(head, sort_keys=False, allow_unicode=True)
    title = known.get("pretty_name", "tracemill release")
    told = f"\nEvery row has this system prompt:\n\n> {cell(system)}\n" if system else ""
    return f"""---
{block}---
# {title}, layout `{layout}`

{_ABOUT[layout]}
{told}
{table(("part", "rows"), rows.items())}
Row k of `metadata.parquet` (`metadata-PART.parquet` where there are several parts) is about row k, all files of a \
part in order of name. The licence and how every row was made and checked are told in [RELEASE.md](RELEASE.md).

```python
from datasets import load_dataset
rows = load_dataset("PATH_OF_THIS_FOLDER", split="train")
```

Before training, `tracemill prove RELEASE --template TEMPLATE --max-length TOKENS` says by row id whose thinking or \
answer a trainer's template would lose, double, cut or leave outside the loss.
"""


def _feature(field: pa.Field) -> dict[str, Any]:
    kind = field.type
    if pa.types.is_list(kind):
        return {"name": field.name, "list": _columns(kind.value_type)}
    if pa.types.is_struct(kind):
        return {"name": field.name, "struct": _columns(kind)}
    return {"name": field.name, "dtype": _NAMES[kind]}


def _columns(struct: pa.StructType) -> list[dict[str, Any]]:
    return [_feature(struct.field(place)) for place in range(struct.num_fields)]
