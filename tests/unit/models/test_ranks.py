"""Ranks of a prompt's tokens: which of them are the response's, and what cannot be told."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemill.models.ranks import CLIP, last_tokens, rank_surprisal_ratio, ranks_of, with_ranks
from tracemill.models.request import Reply


def sent(prompt_logprobs: Any) -> dict[str, Any]:
    return {"choices": [{"prompt_logprobs": prompt_logprobs}]}


def scored(*tokens: tuple[str, float, int]) -> dict[str, Any]:
    """What vLLM sends for a prompt of a first token and these."""
    entries = [{str(n): {"logprob": p, "rank": r, "decoded_token": t}} for n, (t, p, r) in enumerate(tokens)]
    return sent([None, *entries])


def measured(data: dict[str, Any], text: str) -> Reply:
    return with_ranks(Reply("", "stop", values=(-1.0, 9.0)), data, text)


@pytest.mark.parametrize(
    ("pieces", "text", "count"),
    [
        pytest.param(["What", "?", "\n", "It", " is"], "It is", 2, id="the text begins with a token"),
        pytest.param(["What", "?", "\nIt", " is"], "It is", 2, id="a token reaches into it"),
        pytest.param(["<s>", "What", "?\n", "4"], "4", 1, id="a first token of the model's own"),
        pytest.param(["?\n", "", "", "😀", "!"], "😀!", 4, id="a character of three tokens is all of the text's"),
        pytest.param(["😀", "\n", "", "é"], "é", 2, id="half a character belongs to the one that it begins"),
        pytest.param(["?\n", "cafe\u0301"], "café", 0, id="a tokenizer that normalises spells something else"),
        pytest.param(["?", "4"], "", 0, id="no text"),
        pytest.param([], "4", 0, id="no tokens"),
        pytest.param(["4"], "44", 0, id="fewer than the text"),
    ],
)
def test_the_tokens_of_a_text_are_told_by_what_they_stand_for(pieces: list[str], text: str, count: int) -> None:
    assert last_tokens(pieces, text) == count


PIECES = st.sampled_from(["", "a", "b", " a", "ab", "\n", "é", "😀"])


@given(st.lists(PIECES.filter(bool), max_size=8), st.lists(PIECES, min_size=1, max_size=8))
def test_a_text_that_begins_with_a_token_is_found_wherever_it_is_cut(before: list[str], own: list[str]) -> None:
    text = "".join(own)
    first = next((place for place, piece in enumerate(own) if piece), None)
    if first is not None:
        assert last_tokens([*before, *own], text) == len(own)
    else:
        assert last_tokens([*before, *own], text) == 0


def test_the_ratio_is_that_of_the_response_alone_and_no_rank_counts_beyond_the_clip() -> None:
    """By hand: ranks 1 + 4 + 100 (of 5,000) over surprisals 0.5 + 1.5 + 8."""
    reply = measured(scored(("?\n", -9.0, 700), ("a", -0.5, 1), ("b", -1.5, 4), ("c", -8.0, 5000)), "abc")
    assert CLIP == 100
    assert rank_surprisal_ratio(reply) == (pytest.approx(105 / 10.0), 3)
    assert ranks_of(reply).tolist() == [700, 1, 4, 5000]
    assert reply.values[:2] == (-1.0, 9.0), "the perplexity of the whole is what it was"


def test_a_rank_beyond_what_is_stored_is_the_last_one() -> None:
    assert ranks_of(measured(scored(("a", -20.0, 150_000)), "a")).tolist() == [65_535]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(scored(("?\n", -1.0, 2), ("x", -1.0, 2)), "abc", id="tokens that do not spell the response"),
        pytest.param(scored(("a", -9999.0, 9)), "a", id="vLLM's word for an impossible token"),
        pytest.param(scored(("a", -math.inf, 9)), "a", id="an impossible token"),
        pytest.param(scored(("a", math.nan, 9)), "a", id="no number"),
        pytest.param(scored(("a", 0.0, 1), ("b", 0.0, 1)), "ab", id="nothing surprises: a ratio to nothing"),
        pytest.param(scored(("a", -1.0, 0)), "a", id="a rank that is none"),
        pytest.param(sent([None, {"7": {"logprob": -1.0}}]), "a", id="no ranks"),
        pytest.param(sent([None, {"7": {"logprob": -1.0, "rank": 3}}]), "a", id="no texts"),
        pytest.param(sent(None), "a", id="no probabilities"),
        pytest.param(sent([None]), "a", id="one token, which has none"),
    ],
)
def test_what_cannot_be_told_has_no_ratio(data: dict[str, Any], text: str) -> None:
    reply = measured(data, text)
    assert rank_surprisal_ratio(reply) is None
    assert reply.values[:2] == (-1.0, 9.0)
