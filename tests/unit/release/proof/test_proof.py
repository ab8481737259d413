"""Every planted fault is found in its row and nowhere else, and the loss is the one that a hand would draw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.build.planted import TWO_TURNS, planted
from tests.build.released import row
from tests.build.tokenizer import tokenizer_folder
from tracemill.release.layout import SCHEMA
from tracemill.release.proof.batch import proved_batch
from tracemill.release.proof.example import example
from tracemill.release.proof.masks import encoded_all
from tracemill.release.proof.prover import Prover
from tracemill.release.proof.rendering import rendered
from tracemill.release.proof.templates import Template, shipped, template
from tracemill.release.trainers.layouts import LayoutName, laid_out
from tracemill.release.writer import METADATA

WHOLE = {
    "plain": row("Two and two.\n", "\n4\n"),
    "answer is in the thinking": row("It is 4, as 4 is 2 + 2.", "4"),
    "answer is a word of the template": row("Who asks?", "user"),
    "Chinese": row("解：二加二得四。", "答案是 $4$。", ("user", "二加二等于多少？")),
    "code": row("def f(): ...\n\n\n    return", "```python\nprint('<|user|>')\n```"),
    "space of every kind": row("\u3000\t so \n", "\r\n 4 \u00a0"),
    "braces": row("{{ 7 * 7 }} {% raw %}", "{% generation %}"),
}


def found(
    against: Template, rows: Sequence[dict[str, Any]], layout: LayoutName, most: int | None = None, system: str = ""
) -> list[list[str]]:
    published = pa.Table.from_pylist([{"messages": each["messages"]} for each in rows], SCHEMA)
    known = [{"generation_id": f"g{k}", "verdicts": [], "measurements": []} for k in range(len(rows))]
    about = pa.Table.from_pylist(known, METADATA)
    lines = proved_batch(Prover(against, most), layout, system, published, about)
    assert [line.id for line in lines] == [f"g{k}" for k in range(len(rows))]
    return [[one.fault for one in line.found] for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tokenizer_folder(tmp_path_factory.mktemp("tokenizer")))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen2_5", "phi3", "llama3"])
def test_six_planted_faults_are_found_by_id_and_none_elsewhere(name: str, folder: str) -> None:
    faults = planted(" \n\n", "answer_content")
    rows = [row for pair in zip(WHOLE.values(), faults.values(), strict=False) for row in pair] + [*WHOLE.values()]

    said = found(template(name, folder), rows, "am", most=1024)

    assert {1 + 2 * k: [fault] for k, fault in enumerate(faults)} == {k: one for k, one in enumerate(said) if one}


@pytest.mark.parametrize("layout", ["am", "prompt_completion", "prompt_completion_reasoning", "messages"])
def test_a_row_whose_turns_are_null_is_named(layout: LayoutName) -> None:
    nothing: list[dict[str, Any]] = [{"messages": None}, {"messages": []}]
    assert found(template("qwen2_5"), [WHOLE["plain"], *nothing], layout)[1:] == [["null"], ["null"]]


def test_a_prompt_is_never_in_the_loss_of_a_completion(folder: str) -> None:
    rows = [planted(" \n\n", "answer_content")["earlier_in_loss"], *WHOLE.values()]
    assert found(template("qwen2_5", folder), rows, "prompt_completion", most=1024) == [[]] * len(rows)


@pytest.mark.parametrize(
    ("name", "layout", "fault"),
    [
        pytest.param("deepseekv3", "am", ["thinking_missing"], id="a template that drops what is before </think>"),
        pytest.param("qwen2_5", "messages", ["thinking_missing"], id="a template that reads content alone"),
        pytest.param("smolvlm", "am", ["thinking_missing", "answer_missing", "prompt_missing"], id="parts, not text"),
        pytest.param("llava_next", "am", ["refused"], id="a template that raises"),
        pytest.param("gemma", "prompt_completion", ["refused"], id="a template without system prompts"),
        pytest.param("qwen3", "am_thinking", ["prompt_missing"], id="turns of `human`, which trl does not rename"),
    ],
)
def test_what_a_template_does_to_every_row_is_said_of_every_row(
    name: str, layout: LayoutName, fault: list[str]
) -> None:
    rows = [WHOLE["plain"], WHOLE["Chinese"], WHOLE["answer is in the thinking"]]
    system = "Think." if name == "gemma" else ""
    assert found(template(name), rows, layout, system=system) == [fault] * 3


OWN = "{% for m in messages %}<|im_start|>{{ m.role }}\nBODY<|im_end|>{% endfor %}"
ONCE = "{% generation %}{{ m.content }}{% endgeneration %}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(ONCE + "{{ m.content if m.role == 'assistant' }}", {"thinking_doubled"}, id="twice"),
        pytest.param("{{ m.content }}" + ONCE.replace("m.content", "''"), {"thinking_outside_loss"}, id="outside"),
        pytest.param(
            "{% generation %}<think>\n\n</think>{{ m.content }}{% endgeneration %}", {"empty_block"}, id="empty"
        ),
        pytest.param(ONCE.replace("m.content", "m.content[:40]"), {"answer_missing"}, id="cut by the template"),
        pytest.param(ONCE.replace("m.content", "m.content | upper"), {"thinking_missing"}, id="other letters"),
        pytest.param(ONCE.replace("m.content", "m.__class__.__mro__"), {"refused"}, id="a way out of the sandbox"),
        pytest.param("{{ 1 / 0 }}", {"refused"}, id="a division by nothing"),
        pytest.param("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", {"refused"}, id="itself within itself"),
        pytest.param(ONCE, {"earlier_in_loss"}, id="users marked as the assistant"),
    ],
)
def test_a_template_of_ones_own_is_judged_the_same(text: str, fault: set[str]) -> None:
    (said,) = found(Template("own", OWN.replace("BODY", text)), [row("I thought about that.", "It is surely 4.")], "am")
    assert fault <= set(said)


QWEN = "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"


def drawn_by_hand(line: dict[str, Any], loss: str) -> list[tuple[str, int]]:
    """The template of Qwen2.5 as a person reads it: pieces of text, and whether they are in the loss."""
    turns = [*line["prompt"], *line["completion"]] if "prompt" in line else line["messages"]
    pieces = [] if turns[0]["role"] == "system" else [(QWEN, 0)]
    for place, turn in enumerate(turns):
        said = turn["role"] == "assistant" and (loss == "assistant" or place == len(turns) - 1)
        head = f"<|im_start|>{turn['role']}"
        if turn["role"] == "assistant" and loss == "assistant":  # its mark begins before the line feed
            pieces += [(head, 0), (f"\n{turn['content']}<|im_end|>\n", 1)]
        else:
            pieces += [(f"{head}\n", 0), (f"{turn['content']}<|im_end|>\n", int(said))]
    return pieces


MASKED = {
    **{name: WHOLE[name] for name in ("plain", "Chinese", "code", "braces")},
    "two turns": row("And again.", "6", *TWO_TURNS),
    "32k tokens": row("So we go on. " * 3_300, "It is 4."),
}


@pytest.mark.parametrize("kind", MASKED)
@pytest.mark.parametrize(("layout", "system"), [("am", ""), ("prompt_completion", ""), ("prompt_completion", "Think.")])
def test_the_loss_is_the_one_drawn_by_hand_token_by_token(
    kind: str, layout: LayoutName, system: str, folder: str
) -> None:
    against = template("qwen2_5", folder)
    rows = pa.Table.from_pylist([{"messages": MASKED[kind]["messages"]}], SCHEMA)
    about = pa.Table.from_pylist([{"generation_id": "g", "verdicts": [], "measurements": []}], METADATA)
    (line,) = laid_out(rows, about, layout, system).to_pylist()
    given = example(line)

    (made,) = encoded_all(against, [rendered(against, given)])

    pieces = drawn_by_hand(line, given.loss)
    cut = [against.tokenizer(text, add_special_tokens=False)["input_ids"] for text, _ in pieces]
    assert made.encoding.ids == [token for ids in cut for token in ids]
    by_hand = [loss for ids, (_, loss) in zip(cut, pieces, strict=True) for _ in ids]
    assert np.flatnonzero(made.loss != np.array(by_hand, bool)).tolist() == []
    assert len(by_hand) > 32_000 or kind != "32k tokens"


def test_a_row_is_cut_from_the_token_on_that_does_not_fit(folder: str) -> None:
    against = template("qwen2_5", folder)
    rows = pa.Table.from_pylist([{"messages": WHOLE["Chinese"]["messages"]}], SCHEMA)
    about = pa.Table.from_pylist([{"generation_id": "g", "verdicts": [], "measurements": []}], METADATA)
    given = example(laid_out(rows, about, "prompt_completion").to_pylist()[0])
    ids = encoded_all(against, [rendered(against, given)])[0].encoding.ids
    tail = len(against.tokenizer("</answer><|im_end|>\n", add_special_tokens=False)["input_ids"])

    def said(most: int) -> list[str]:
        return found(against, [WHOLE["Chinese"]], "prompt_completion", most)[0]

    assert said(len(ids)) == []
    assert said(len(ids) - 1) == said(len(ids) - tail) == ["end_cut"]
    assert said(len(ids) - tail - 1) == ["answer_cut"]  # 。 is three bytes, and its last token does not fit
    assert said(10) == ["thinking_cut", "answer_cut"]


def test_the_templates_are_those_that_the_training_environment_ships() -> None:
    places = sorted(Path(".venv-train").glob("lib/*/site-packages/trl/chat_templates"))
    if not places:
        pytest.skip("no .venv-train here: make train-env makes it")
    theirs = {path.name: path.read_text() for path in places[0].glob("*_training.jinja")}
    assert {f"{name}_training.jinja": template(name).text for name in shipped()} == theirs
