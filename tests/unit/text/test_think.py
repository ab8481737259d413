"""Splitting a response into chain and answer: every style, and never a lost character."""

from __future__ import annotations

import random

import pytest

from tracemill.text.think import STYLES, Split, joined, rebuilt, split

THOUGHT = "<|begin_of_thought|>\n\nhmm\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nfour\n\n<|end_of_solution|>"


@pytest.mark.parametrize(
    ("text", "style", "think", "answer"),
    [
        pytest.param("<think>hm\n</think>\n<answer>\n4\n</answer>", "am", "hm\n", "\n4\n", id="am, as published"),
        pytest.param("<think>hm</think>\n<answer>4</answer>", "am", "hm", "4", id="am, no newlines inside"),
        pytest.param("<think>hm</think> <answer>4</answer>\n", "am", "hm", "4", id="am, other white space"),
        pytest.param("<think>\nhm\n</think>\n\n4", "r1", "\nhm\n", "\n\n4", id="r1"),
        pytest.param("hm\n</think>\n\n4", "open_r1", "hm\n", "\n\n4", id="the chat template wrote the opening tag"),
        pytest.param("hm</think>\n<answer>4</answer>", "open_am", "hm", "4", id="the same in the strict template"),
        pytest.param(THOUGHT, "thought", "hmm", "four", id="OpenThoughts"),
        pytest.param("  " + THOUGHT, "thought", "\n\nhmm\n\n", "\n\nfour\n\n", id="OpenThoughts, indented"),
        pytest.param("<think>still at it", "unclosed", "still at it", None, id="cut in the chain"),
        pytest.param("just 4", "none", None, "just 4", id="no tags"),
        pytest.param("", "none", None, "", id="empty"),
        pytest.param("<think>\n\n</think>\n\n4", "r1", "\n\n", "\n\n4", id="R1's empty chain is still a chain"),
        pytest.param("<think>a</think>b<think>c</think>d", "broken", None, "d", id="two chains"),
        pytest.param("Sure. <think>a</think>b", "broken", None, "b", id="text before the chain"),
        pytest.param("<think>a</think>\n<answer>b", "broken", None, "\nb", id="the answer never ends"),
        pytest.param("<think>a</think>\n<answer>b</answer> bye", "broken", None, "\nb bye", id="text after the answer"),
        pytest.param("<think>a <answer>b</answer>", "broken", None, "a b", id="the chain never ends, the answer does"),
        pytest.param("<answer>b</answer>", "broken", None, "b", id="an answer without a chain"),
        pytest.param("<think>a</think>the tag <answer> is", "r1", "a", "the tag <answer> is", id="a tag talked about"),
    ],
)
def test_a_response_is_split_by_its_style(text: str, style: str, think: str | None, answer: str | None) -> None:
    parts = split(text)
    assert (parts.style, parts.think, parts.answer) == (style, think, answer)
    assert (parts.raw if parts.raw is not None else rebuilt(parts.style, parts.think, parts.answer)) == text


def test_raw_is_kept_only_where_it_is_needed() -> None:
    exact = ["<think>a</think>\n<answer>b</answer>", "<think>a</think>b", "a</think>b", "<think>a", THOUGHT]
    assert [split(text).raw for text in exact] == [None] * len(exact)
    inexact = ["<think>a</think>  <answer>b</answer>", "\n<think>a</think>b", "plain", "<think>a</think></think>"]
    assert [split(text).raw for text in inexact] == inexact


def test_two_columns_are_one_response_without_raw() -> None:
    assert joined("hm", "4") == Split("parts", "hm", "4", None)


def test_whatever_is_lost_or_moved_the_text_can_be_put_together_again() -> None:
    whole = ["<think>", "a", "\n", "</think>", "\n", "<answer>", "b", " ", "</answer>"]
    published = [piece for piece in THOUGHT.replace("|>", "|>\0").replace("<|", "\0<|").split("\0") if piece]
    rng, seen = random.Random(1), set()
    for _ in range(20_000):
        pieces = list(rng.choice((whole, published)))
        for _ in range(rng.randrange(5)):
            pieces.insert(rng.randrange(len(pieces)), pieces.pop(rng.randrange(len(pieces))))
            if rng.random() < 0.5:
                pieces.pop(rng.randrange(len(pieces)))
        text = "".join(pieces)
        parts = split(text)
        seen.add(parts.style)
        assert (parts.raw if parts.raw is not None else rebuilt(parts.style, parts.think, parts.answer)) == text
    assert seen == set(STYLES) - {"parts"}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<think>" + "<answer>" * 200_000 + "</think>" + "</answer> " * 200_000, id="answer tags"),
        pytest.param("<|begin_of_thought|>" + "<|end_of_thought|><|begin_of_solution|>" * 100_000, id="thought tags"),
        pytest.param("<think>a</think>" + " " * 1_000_000 + "<answer>b", id="white space"),
    ],
)
def test_a_hostile_response_takes_linear_time(text: str) -> None:
    assert split(text).style == "broken"
