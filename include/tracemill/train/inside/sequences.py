"""Takes batches apart into the rows that they were made of, shows their masks as text, and finds whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

BEGIN = "⟦"
END = "⟧"
_IGNORED = -100  # the label of a token without loss, in torch
_SHOWN = 400  # characters of each end of a long text


def sequences(batch: Mapping[str, Any]) -> Iterator[tuple[list[int], list[int]]]:
    """Tokens and labels of each row in a batch: padded rows by their attention mask, packed ones by their positions."""
    for place in range(batch["input_ids"].shape[0]):
        ids = batch["input_ids"][place].tolist()
        labels = batch["labels"][place].tolist()
        if "position_ids" in batch:
            starts = [k for k, position in enumerate(batch["position_ids"][place].tolist()) if position == 0]
            for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
                yield ids[start:end], labels[start:end]
        else:
            kept = [k for k, seen in enumerate(batch["attention_mask"][place].tolist()) if seen]
            yield [ids[k] for k in kept], [labels[k] for k in kept]


def shown(tokenizer: Any, ids: Sequence[int], labels: Sequence[int]) -> str:
    """A row as the trainer sees it, what is in the loss between ⟦ and ⟧; long texts are cut in their middle.

    The first token of a row never has a loss: nothing comes before it.
    """
    pieces = []
    start = 0
    while start < len(ids):
        learned = labels[start] != _IGNORED
        end = start
        while end < len(ids) and (labels[end] != _IGNORED) == learned:
            end += 1
        text = _cut(tokenizer.decode(ids[start:end], skip_special_tokens=False))
        pieces.append(f"{BEGIN}{text}{END}" if learned else text)
        start = end
    return "".join(pieces)


def _cut(text: str) -> str:
    left_out = len(text) - 2 * _SHOWN
    return text if left_out <= 0 else f"{text[:_SHOWN]} [... {left_out:,} characters ...] {text[-_SHOWN:]}"


def turns(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All turns of a row as the trainer has them rendered: a field that is null is none."""
    given = row["messages"] if "messages" in row else [*row["prompt"], *row["completion"]]
    return [{name: value for name, value in turn.items() if value is not None} for turn in given]


def owners(
    wanted: Iterable[Sequence[int]], rows: Iterable[Mapping[str, Any]], tokenizer: Any, most: int | None
) -> list[str]:
    """The ids of the rows whose tokens these are, in the order of the rows, which are rendered until all are found."""
    left = {tuple(ids) for ids in wanted}
    found = []
    for row in rows:
        if not left:
            break
        made = tokenizer.apply_chat_template(turns(row), tokenize=True, return_dict=True)["input_ids"]
        cut = tuple(made[:most])
        if cut in left:
            left.discard(cut)
            found.append(row["id"])
    return found
