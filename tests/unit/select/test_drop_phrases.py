"""What recurs goes with its row or out of it, as the recipe says; a changed text is a new, unjudged response."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from tests.build.tables import inputs_of, sealed_rows
from tracemill.engine.ids import generation_id
from tracemill.engine.resources import Resources
from tracemill.engine.runner import fingerprint_of, reconcile
from tracemill.engine.step import Inputs, Output
from tracemill.errors import MissingInput
from tracemill.select.phrases.cutting import covered, pieces, quoted, without
from tracemill.select.phrases.drop import DropPhrases
from tracemill.select.phrases.step import Phrases
from tracemill.text.jit import Flags
from tracemill.text.think import rebuilt

STEP: TypeAdapter[DropPhrases] = TypeAdapter(DropPhrases)
FIND: TypeAdapter[Phrases] = TypeAdapter(Phrases)
PHRASE = "As a Large Language Model"
N = 5


def row(identity: str, think: str | None, answer: str | None, style: str = "am", **fields: Any) -> dict[str, Any]:
    parts = {"style": style, "think_content": think, "answer_content": answer, "teacher": "t", "sample_index": 3}
    return {"id": identity, "problem_id": "p", "source": "s", **parts, **fields}


ROWS = [
    row("plain", "Let me add.", "Four."),
    row("chain", f"Well.\n\n{PHRASE}, I add.\n", "Four.", source_verdict=True, raw=None),
    row("answer", "Let me add.", f"{PHRASE}: 4", completion_tokens=9),
    row("both", f"{PHRASE} I am", f"It is, as a large language model, four. {PHRASE}"),
    row("nothing else", "Let me add.", f"{PHRASE}."),
    row("no frame", None, f"{PHRASE}, four", style="none", raw=f"{PHRASE}, four"),
]


def looked_for(before: Inputs, limit: int = 3) -> Inputs:
    """The same shards behind a step that has looked for phrases."""
    step = FIND.validate_python({"kind": "phrases", "n": N, "limit": limit})
    output = step.run(Resources(), before)
    made = sealed_rows(before.store, 0, {"phrases": output.tables["phrases"].to_pylist()}, "phrases")
    made = made.model_copy(update={"settings": step.settings(before)})
    return Inputs(before.store, before.index, before.sealed, [made], before.shard_count)


def shard(folder: Path, *rows: dict[str, Any]) -> Inputs:
    return looked_for(inputs_of(folder, {"problems": [{"id": "p"}], "generations": rows or ROWS}))


def dropped(inputs: Inputs, **settings: Any) -> Output:
    step = STEP.validate_python({"kind": "drop_phrases", **settings})
    output = step.run(Resources(), inputs)
    reconcile("drop", step, inputs, output)
    return output


def told(output: Output) -> dict[str, tuple[str | None, float | None, str | None]]:
    return {row["id"]: (row["reason"], row["score"], row["detail"]) for row in output.ledger.to_pylist()}


def test_a_row_with_a_phrase_goes_and_says_which(tmp_path: Path) -> None:
    output = dropped(shard(tmp_path))
    assert told(output) == {
        "plain": (None, None, None),
        "chain": ("frequent_phrase", 5.0, f"{PHRASE},"),
        "answer": ("frequent_phrase", 5.0, f"{PHRASE}:"),
        "both": ("frequent_phrase", 15.0, PHRASE),
        "nothing else": ("frequent_phrase", 5.0, f"{PHRASE}."),
        "no frame": ("frequent_phrase", 5.0, f"{PHRASE},"),
    }
    assert {row["bucket"] for row in output.ledger.to_pylist() if row["reason"]} == {"rejected"}
    assert output.tables["generations"].num_rows == 0


def test_a_phrase_that_is_cut_out_leaves_a_new_response_that_nobody_has_judged(tmp_path: Path) -> None:
    output = dropped(shard(tmp_path), drop="string")
    assert {name: reason for name, (reason, _, _) in told(output).items()} == {
        "plain": None,
        "chain": "phrase_cut_out",
        "answer": "phrase_cut_out",
        "both": "phrase_cut_out",
        "nothing else": "frequent_phrase",
        "no frame": "frequent_phrase",
    }
    chain, answer, both = output.tables["generations"].to_pylist()
    assert (chain["think_content"], chain["answer_content"]) == ("Well.\n\nI add.\n", "Four.")
    assert (answer["think_content"], answer["answer_content"]) == ("Let me add.", "4")
    assert (both["think_content"], both["answer_content"]) == ("I am", "It is, four. ")
    for fresh in (chain, answer, both):
        text = rebuilt(fresh["style"], fresh["think_content"], fresh["answer_content"])
        assert fresh["id"] == generation_id("p", "t", 3, text)
        assert (fresh["raw"], fresh["source_verdict"], fresh["sample_index"]) == (None, None, 3)
    assert answer["completion_tokens"] == 9


def test_what_is_left_of_one_sample_in_two_modes_is_two_responses(tmp_path: Path) -> None:
    rows = [row(mode, "Let me add.", f"{PHRASE}: 4", mode=mode) for mode in ("quick", "deep")]
    rows += [row(other, "Let me add.", f"{PHRASE} {other}") for other in ("too", "again")]
    fresh = dropped(shard(tmp_path, *rows), drop="string").tables["generations"].to_pylist()
    assert [one["mode"] for one in fresh[:2]] == ["quick", "deep"]
    assert len({one["id"] for one in fresh}) == len(fresh) == 4


def test_a_shard_without_a_phrase_is_not_read_and_not_touched_by_those_of_others(tmp_path: Path) -> None:
    many = [row(f"g{k}", "Let me add.", f"{PHRASE} {k}") for k in range(4)]
    rows = {"problems": [{"id": "p"}], "generations": [row("plain", "Let me add.", "Four.")]}
    others = [{"problems": [{"id": "p"}], "generations": many[:count]} for count in (0, 4)]
    step = STEP.validate_python({"kind": "drop_phrases"})
    before, after = (_mapped(looked_for(inputs_of(tmp_path, rows, other))) for other in others)
    assert fingerprint_of(step, Resources(), before) == fingerprint_of(step, Resources(), after)
    assert told(dropped(after)) == {"plain": (None, None, None)}


def _mapped(inputs: Inputs) -> Inputs:
    """As a mapped step sees them: its own shard alone."""
    return Inputs(inputs.store, 0, {0: inputs.sealed[0]}, inputs.whole, inputs.shard_count)


def test_phrases_that_nobody_looked_for_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="put a `phrases` step before"):
        dropped(inputs_of(tmp_path, {"problems": [{"id": "p"}], "generations": ROWS}))


def flags(*places: int, words: int) -> Flags:
    return np.array([place in places for place in range(words)])


def test_an_n_gram_covers_its_words() -> None:
    assert covered(flags(1, 2, words=4), 3).tolist() == [False, True, True, True, True, False]
    assert covered(flags(words=1), 3).tolist() == [False] * 3


PLACED = {
    "words": ("a bee sees", 1, "a sees"),
    "white space goes with the word before": ("  a\n\nbee\tsees", 1, "  a\n\nsees"),
    "a formula is one piece": (r"so \frac{1}{2} is", 2, "so is"),
    "words without blanks are one piece": ("他说你好 so", 1, "so"),
}


@pytest.mark.parametrize(("text", "word", "left"), PLACED.values(), ids=PLACED)
def test_a_word_is_cut_with_the_piece_that_it_stands_in(text: str, word: int, left: str) -> None:
    found = pieces(text)
    assert found is not None
    inside = flags(word, words=found[1][-1])
    assert without(text, inside) == left
    assert quoted(text, inside) in text.split()
