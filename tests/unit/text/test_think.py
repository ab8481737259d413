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
        pytest.param(
            "<think>In <answer> tags, then. 7</think>\n<answer>7</answer>",
            "am",
            "In <answer> tags, then. 7",
            "7",
            id="the chain names the answer's tag",
        ),
        pytest.param(
            "<think>I open <answer>8</answer>, no: 7</think>\n<answer>7</answer>",
            "am",
            "I open <answer>8</answer>, no: 7",
            "7",
            id="the chain drafts an answer",
        ),
        pytest.param(
            "<think>one <think>two</think> three</think>four", "r1", "one <think>two</think> three", "four", id="nested"
        ),
        pytest.param("<think><think>\na\n</think>\nb", "r1", "<think>\na\n", "\nb", id="opened twice"),
        pytest.param("<think>a `</think>` b</think>c", "r1", "a `</think>` b", "c", id="an end in back-ticks"),
        pytest.param('<think>say "<think>" c\n</think>d', "r1", 'say "<think>" c\n', "d", id="an opening in quotes"),
        pytest.param("a 「</think>」 b</think>c", "open_r1", "a 「</think>」 b", "c", id="an end in Chinese quotes"),
        pytest.param(
            "the pair <think>x</think> goes</think>c",
            "open_r1",
            "the pair <think>x</think> goes",
            "c",
            id="a pair in a chain without its opening",
        ),
        pytest.param(
            "<think>a `</think>` b", "unclosed", "a `</think>` b", None, id="only a quoted end: it never ended"
        ),
        pytest.param(
            "<think>cut '<think>.*</think>' out and",
            "unclosed",
            "cut '<think>.*</think>' out and",
            None,
            id="a quoted pair, then cut",
        ),
        pytest.param("<think>a <think>b</think> c", "broken", None, " c", id="nested, then cut"),
        pytest.param(
            "<think>a</think>re.sub('<think>.*</think>', '', s)",
            "r1",
            "a",
            "re.sub('<think>.*</think>', '', s)",
            id="the answer's code holds a quoted pair",
        ),
        pytest.param(
            "<think>a</think>\n```\n<think>x</think>\n```\nb",
            "r1",
            "a",
            "\n```\n<think>x</think>\n```\nb",
            id="the answer's block holds a pair",
        ),
        pytest.param(
            "<think>a</think> b</think>\n<answer>c</answer>",
            "am",
            "a</think> b",
            "c",
            id="the last end before the frame",
        ),
        pytest.param(
            "<think>a</think>\n<answer>wrap it in `<answer>` tags</answer>",
            "am",
            "a",
            "wrap it in `<answer>` tags",
            id="the answer names its own tag",
        ),
        pytest.param(
            "<think>a</think>\n<answer>b</answer>\n<answer>c</answer>", "broken", None, "\nb\nc", id="two answers"
        ),
        pytest.param("<think>a <answer> b", "unclosed", "a <answer> b", None, id="cut after the answer's tag is named"),
        pytest.param(
            '<think>a</think>```\nf("<think>.*</think>")\n```',
            "r1",
            "a",
            '```\nf("<think>.*</think>")\n```',
            id="a block right behind the chain",
        ),
        pytest.param("<think>a</think>4<｜end▁of▁sentence｜>", "r1", "a", "4", id="DeepSeek's end"),
        pytest.param(
            "<think>a</think>\n<answer>4</answer><|im_end|>\n<|endoftext|>\n", "am", "a", "4", id="Qwen's ends"
        ),
        pytest.param("<think>a</think>4\n<|eot_id|> ", "r1", "a", "4\n", id="Llama's end"),
        pytest.param("plain 4</s>", "none", None, "plain 4", id="an end without a chain"),
        pytest.param("<think>still<|endoftext|>", "unclosed", "still", None, id="an end in the chain"),
        pytest.param("<think>a</think>x <|im_end|> y", "r1", "a", "x <|im_end|> y", id="an end inside stays"),
        pytest.param("<think>a</think><s>struck</s> out", "r1", "a", "<s>struck</s> out", id="HTML is no end"),
        pytest.param(THOUGHT + "<|im_end|>", "thought", "hmm", "four", id="an end behind OpenThoughts' tags"),
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
    assert joined("hm", "4<|im_end|>") == Split("parts", "hm", "4", "<think>hm</think>4<|im_end|>")


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


@pytest.mark.slow
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<think>" + "<answer>" * 200_000 + "</think>" + "</answer> " * 200_000, id="answer tags"),
        pytest.param("<|begin_of_thought|>" + "<|end_of_thought|><|begin_of_solution|>" * 100_000, id="thought tags"),
        pytest.param("<think>a</think>" + " " * 1_000_000 + "<answer>b", id="white space"),
        pytest.param("<think>a</think>" + "</think>" * 300_000, id="ends of a chain"),
        pytest.param("<think>a</think>b<think>" + "```\n<think>\n" * 200_000, id="fences"),
        pytest.param("x<answer>" + "<|im_end|>" * 300_000, id="end tokens"),
    ],
)
def test_a_hostile_response_takes_linear_time(text: str) -> None:
    assert split(text).style == "broken"
