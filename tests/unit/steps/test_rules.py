"""Rules: the form of a response, first broken rule first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.build.shard import generation, rows
from tests.build.shards import Shards, problem
from tracemill.engine.step import Output, ledger_rows
from tracemill.engine.store import Store
from tracemill.select.rules import Rules, _broken
from tracemill.text.think import split

P = problem("Add 3 and 4")
COUNTED = "\n".join(f"{k}. {k} plus {k + 1} is {2 * k + 1}, which is odd" for k in range(40))
ZEROS = "the table is [" + "0, " * 300 + "0] as asked"


def response(text: str, **fields: Any) -> dict[str, Any]:
    parts = split(text)
    return generation("g", P["id"]) | {
        "style": parts.style, "raw": parts.raw, "think_content": parts.think, "answer_content": parts.answer, **fields,
    }  # fmt: skip


def run(
    tmp_path: Path, generations: list[dict[str, Any]], gone: list[dict[str, Any]] | None = None, **settings: Any
) -> Output:
    shards = Shards(Store.at(str(tmp_path), create=True), [P], generations=[generations], ledger=[gone or []])
    return shards.run(Rules.model_validate({"kind": "rules", **settings}))


def reason(tmp_path: Path, one: dict[str, Any], **settings: Any) -> str | None:
    (row,) = run(tmp_path, [one], **settings).ledger.to_pylist()
    assert row["bucket"] == ("rejected" if row["reason"] else "kept")
    found: str | None = row["reason"]
    return found


FORMS: dict[str, tuple[str, str | None, str | None]] = {  # text, reason, reason when only style "am" is accepted
    "the template": ("<think>hm</think>\n<answer>7</answer>", None, None),
    "no line break between": ("<think>hm</think><answer>7</answer>", None, None),
    "DeepSeek-R1": ("<think>\nhm\n</think>\n\n7", None, "bad_template"),
    "opening tag given by the chat template": ("hm</think>\n<answer>7</answer>", None, "bad_template"),
    "no tag at all": ("7", "no_think", "no_think"),
    "nothing": ("", "no_think", "no_think"),
    "chain never ends": ("<think>hm", "truncated", "truncated"),
    "answer first": ("<answer>7</answer><think>hm</think>", "bad_template", "bad_template"),
    "two chains": ("<think>a</think><think>b</think><answer>7</answer>", "bad_template", "bad_template"),
    "answer never ends": ("<think>hm</think>\n<answer>7", "bad_template", "bad_template"),
    "blank chain": ("<think> \n</think>\n<answer>7</answer>", "blank_think", "blank_think"),
    "blank answer": ("<think>hm</think>\n<answer>\n\u3000</answer>", "blank_answer", "blank_answer"),
    "loops in the chain": (f"<think>{'wait, no. ' * 60}</think>\n<answer>7</answer>", "repetition", "repetition"),
    "loops in the answer": (f"<think>hm</think>\n<answer>{'7 it is ' * 40}</answer>", "repetition", "repetition"),
    "counts in words": (f"<think>{COUNTED}</think>\n<answer>7</answer>", None, None),
    "prints many zeros": (f"<think>hm</think>\n<answer>{ZEROS}</answer>", None, None),
}


@pytest.mark.parametrize(("text", "lenient", "strict"), FORMS.values(), ids=FORMS)
def test_the_first_broken_rule_is_the_reason(
    tmp_path: Path, text: str, lenient: str | None, strict: str | None
) -> None:
    assert reason(tmp_path / "lenient", response(text)) == lenient
    assert reason(tmp_path / "strict", response(text), styles=["am"]) == strict


def test_a_model_that_stopped_for_length_was_truncated_whatever_it_wrote(tmp_path: Path) -> None:
    whole = "<think>hm</think>\n<answer>7</answer>"
    assert reason(tmp_path / "a", response(whole, finish_reason="length")) == "truncated"
    assert reason(tmp_path / "b", response(whole, finish_reason="stop")) is None
    assert reason(tmp_path / "c", response("7", finish_reason="length")) == "truncated"


@pytest.mark.parametrize(
    ("finish", "why"),
    [("content_filter", "filtered"), ("repetition", "repetition"), ("abort", "truncated"), ("unknown", "truncated")],
)
def test_only_a_finished_response_is_whole(tmp_path: Path, finish: str, why: str) -> None:
    assert reason(tmp_path, response("<think>hm</think>\n<answer>7</answer>", finish_reason=finish)) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("<think>hm</think>\n<answer>7</answer><|im_end|>", None, id="behind the answer it was cut off"),
        pytest.param("<think>hm</think>7<｜end▁of▁sentence｜>", None, id="DeepSeek's"),
        pytest.param("<think>hm</think>7 <|im_end|> and on", "end_token", id="within the answer"),
        pytest.param("<think>hm<｜end▁of▁sentence｜></think>7", "end_token", id="within the chain"),
        pytest.param("<think>hm</think><|start_header_id|>7", "end_token", id="a role"),
        pytest.param("<think>hm</think>7 [/INST] 8", "end_token", id="without bars"),
        pytest.param("<think>x <|y|> z</think>`a <| b |> c` <s>7</s> or 8 </s> and", None, id="operators, HTML"),
    ],
)
def test_a_token_that_ends_a_turn_is_never_released(tmp_path: Path, text: str, why: str | None) -> None:
    assert reason(tmp_path, response(text)) == why


BROKEN = {
    "NUL": "\x00",
    "\\boxed unescaped twice": "\x08oxed{7}",
    "\\frac unescaped twice": "\x0crac{7}{1}",
    "an escape sequence": "\x1b[1m",
    "DEL": "\x7f",
    "a C1 control": "\x9c",
    "half a character": "\ufffd",
    "no character": "\ufdd3",
    "no character either": "\uffff",
}


@pytest.mark.parametrize("character", BROKEN.values(), ids=BROKEN)
def test_a_character_that_no_text_holds_is_rejected_by_name(tmp_path: Path, character: str) -> None:
    """Trap: JSON, Parquet and every loader carry it faithfully into the training set."""
    assert reason(tmp_path / "a", response(f"<think>a{character}b</think>7")) == "broken_characters"
    assert reason(tmp_path / "b", response(f"<think>hm</think>7{character}")) == "broken_characters"


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cn"], exclude_characters="\ufffd<>")))
def test_every_other_character_is_a_texts_own(said: str) -> None:
    text = pa.array([f"{said}\t\r\n\x85\ufeff\u2028\u200b"])
    assert not _broken(text).any()


def test_a_repetition_says_how_strong_it_is(tmp_path: Path) -> None:
    paragraph = " ".join(f"w{chr(97 + k % 26)}{chr(97 + k // 26)}" for k in range(90))
    texts = ["wait, no. " * 60, f"{paragraph} one {paragraph}", "great" + "!" * 900]
    found = run(
        tmp_path, [response(f"<think>{t}</think>7") | {"id": f"g{k}"} for k, t in enumerate(texts)]
    ).ledger.to_pylist()
    assert [row["detail"] for row in found] == [
        "copies of one block in a row",
        "share of repeated n-grams",
        "copies of the block that the text ends in",
    ]
    assert (found[0]["score"], found[0]["threshold"]) == (60, 8)
    assert found[1]["score"] == pytest.approx(71 / 162, abs=1e-4)
    assert found[1]["threshold"] == 0.25
    assert (found[2]["score"], found[2]["threshold"]) == (900, 3)


def test_thresholds_are_settings(tmp_path: Path) -> None:
    text = response("<think>" + "let us see now " * 10 + "</think>7")
    assert reason(tmp_path / "a", text) == "repetition"
    assert reason(tmp_path / "b", text, copies=11, repeated_share=1.0) is None
    assert reason(tmp_path / "c", text, loop_words=41, repeated_share=1.0) is None


def test_responses_of_problems_that_are_gone_are_not_judged(tmp_path: Path) -> None:
    gone = [*ledger_rows("problem", [P["id"]], "rejected", "for_a_test").to_pylist()]
    assert run(tmp_path, [response("7")], gone).ledger.num_rows == 0
    own = [*ledger_rows("generation", ["g"], "rejected", "for_a_test").to_pylist()]
    assert run(tmp_path / "own", [response("7"), response("7") | {"id": "g2"}], own).ledger["id"].to_pylist() == ["g2"]


def test_a_shard_without_responses_is_no_special_case(tmp_path: Path) -> None:
    assert run(tmp_path, []).ledger.num_rows == 0
    assert rows("generations", []).num_rows == 0


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        pytest.param(None, None, id="one prompt alone"),
        pytest.param("user assistant user", None, id="an answer makes two pairs"),
        pytest.param("system user assistant user", None, id="a system turn is no side's"),
        pytest.param("user user", "turns", id="three with the answer"),
        pytest.param("user user user", "turns", id="even, but nobody answers in between"),
        pytest.param("user assistant", "turns", id="two answers in a row"),
    ],
)
def test_turns_come_in_pairs_where_that_is_asked(tmp_path: Path, roles: str | None, why: str | None) -> None:
    turns = None if roles is None else [{"role": role, "content": "Add 3 and 4"} for role in roles.split()]
    whole = response("<think>hm</think>\n<answer>7</answer>")
    asked = [{**P, "messages": turns}]
    for setting, expected in ((False, None), (True, why)):
        shards = Shards(Store.at(str(tmp_path / str(setting)), create=True), asked, generations=[[whole]])
        (row,) = shards.run(Rules(kind="rules", turns=setting)).ledger.to_pylist()
        assert row["reason"] == expected


def test_a_rule_that_nobody_asks_for_is_in_no_identity() -> None:
    """Trap: a new key in every fingerprint would make all sealed shards anew."""
    assert "turns" not in Rules(kind="rules").model_dump(mode="json")
    assert Rules(kind="rules", turns=True).model_dump(mode="json")["turns"] is True
