"""The loss of every kind of row, token by token, against one that is written by hand for the template of Qwen2.5."""

from __future__ import annotations

import pyarrow as pa

from benchmarks.training.rows import KINDS, released
from tracemill.release.layout import SCHEMA
from tracemill.release.proof.example import Example, example
from tracemill.release.proof.masks import encoded_all
from tracemill.release.proof.rendering import rendered
from tracemill.release.proof.templates import template
from tracemill.release.trainers.layouts import LayoutName, laid_out
from tracemill.release.writer import METADATA

_OWN = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
_TRIED: tuple[tuple[LayoutName, str | None], ...] = (
    ("am", None),
    ("prompt_completion", None),
    ("prompt_completion", "Think first."),
)


def by_hand(given: Example) -> list[tuple[str, bool]]:
    """The template as a person reads it: pieces of text, and whether they are in the loss."""
    pieces = [] if given.messages[0]["role"] == "system" else [(_OWN, False)]
    for place, turn in enumerate(given.messages):
        role = turn["role"]
        if role == "assistant" and given.loss == "assistant":  # its mark begins before the line feed
            pieces += [(f"<|im_start|>{role}", False), (f"\n{turn['content']}<|im_end|>\n", True)]
        else:
            last = place == len(given.messages) - 1
            pieces += [(f"<|im_start|>{role}\n", False), (f"{turn['content']}<|im_end|>\n", last)]
    return pieces


def figures() -> dict[str, int]:
    """`mask_tokens`: how many tokens were compared. `mask_mismatches`: those whose loss or id differs."""
    rows = pa.Table.from_pylist([{"messages": row["messages"]} for row in KINDS], SCHEMA)
    known = [{"generation_id": "g", "verdicts": [], "measurements": []} for _ in KINDS]
    about = pa.Table.from_pylist(known, METADATA)
    compared = 0
    wrong = 0
    with released(KINDS) as (_, folder):
        against = template("qwen2_5", folder)
        for layout, system in _TRIED:
            for row in laid_out(rows, about, layout, system).to_pylist():
                given = example(row)
                (made,) = encoded_all(against, [rendered(against, given)])
                ours = list(zip(made.encoding.ids, made.loss.tolist(), strict=True))
                cut = [(against.tokenizer(text, add_special_tokens=False), loss) for text, loss in by_hand(given)]
                hand = [(token, loss) for encoded, loss in cut for token in encoded["input_ids"]]
                compared += len(hand)
                wrong += sum(one != other for one, other in zip(ours, hand, strict=False)) + abs(len(ours) - len(hand))
    return {"mask_tokens": compared, "mask_mismatches": wrong}
