"""Pairs written by hand, through sign and cluster with the embedder that recipes name: what merges and what stays."""

from __future__ import annotations

import pytest

from benchmarks.rows.dedup import CHINESE, ENGLISH, WRAPPINGS, dropped, merged, pairs_of, twins

PROBLEM = "A tram with 36 seats stops at 5 stations, and at each of them 7 people get on. How many stand in the end?"


def test_few_problems_of_one_form_are_merged() -> None:
    found = merged(pairs_of("minimal_pairs"))
    assert len(found) == 80
    assert sum(found) <= 4


def test_most_problems_in_other_words_are_found() -> None:
    found = merged(pairs_of("reworded_pairs"))
    assert sum(found[:ENGLISH]) >= 38
    assert sum(found[ENGLISH : ENGLISH + CHINESE]) >= 24
    assert sum(found[ENGLISH + CHINESE :]) >= 10


def test_questions_of_one_form_about_other_concepts_stay_in_both_languages() -> None:
    assert twins() == (0, 0)


@pytest.mark.parametrize("embedder", ["hashing", "multilingual"])
def test_what_a_source_puts_around_a_problem_hides_no_duplicate(embedder: str) -> None:
    texts = [PROBLEM, *(wrapping.format(PROBLEM) for wrapping in WRAPPINGS)]
    assert len(dropped(texts, {"kind": embedder})) == len(WRAPPINGS)
