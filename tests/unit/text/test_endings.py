"""A loop that a text ends in is found, whatever it is made of; honest repetition is left alone."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from tracemill.select.repetition import Repetition, repetition

RNG = random.Random(7)
STEMS = ("alpha", "ratio", "angle", "prime", "factor", "number", "term", "root", "sum", "proof", "figure", "limit")


PRIMES = [p for p in range(2, 100) if all(p % q for q in range(2, p))]


def prose(words: int) -> str:
    """Words without a loop."""
    return (
        " ".join(RNG.choice(STEMS) + RNG.choice(("", "s", "ly", str(RNG.randrange(50)))) for _ in range(words)) + ". "
    )


def measured(text: str) -> Repetition:
    return repetition(pa.array([text]), 20)


GOOD = prose(1500)
LONG = prose(700)
LOOPS = {
    "one word, after a good chain": GOOD + "hence " * 28,
    "a word with a mark": GOOD + "no, " * 40,
    "two Chinese characters": GOOD + "不对" * 30,
    "Cyrillic": GOOD + "нет " * 40,
    "a sentence that is cut off": GOOD + "I had better verify this value once again by hand. " * 10 + "I had bet",
    "a sentence in other white space": GOOD + "  \n".join(["we go back to the first of the two equations now"] * 10),
    "a paragraph three times": GOOD * 3 + prose(113) * 1 + LONG * 3,
    "a long paragraph three times": GOOD + LONG * 3,
    "exclamation marks": "Done" + "!" * 1500,
    "dots in lines": "so\n" + "...\n" * 200,
    "question and exclamation": "what" + "?!" * 150,
    "a rocket": "Go " + "🚀" * 300,
    "two emoji": "Go " + "🚀✨" * 80,
    "stars": "Go " + "★" * 150,
    "a fraction": "We get \\frac12 + " * 1 + "\\frac12 + " * 60,
    "braces": "so " + "}" * 400,
    "backslashes": "so " + "\\\\" * 300,
    "digits of a third": "x = 0." + "3" * 2500,
    "digits of a seventh": "x = 0." + "142857" * 300,
    "an HTML tag": "so " + "</td>" * 60,
    "a counter": "".join(f"Let me attempt this in yet another way, number {k}. " for k in range(3, 40)),
    "a counter, backwards": "".join(f"There are {k} things I must check now. " for k in range(60, 20, -1)),
    "a counter of tens": GOOD + "".join(f"Try the value {k} and look what comes out.\n" for k in range(10, 300, 10)),
    "a Chinese counter": "".join(f"第{k}次，我再重新检查一遍上面的计算过程。" for k in range(1, 40)),
}  # fmt: skip
HONEST = {
    "a table": "| k | is |\n|---|---|\n" + "\n".join(f"| row {k} | the test was passed, all fine |" for k in range(50)),
    "comma separated": "\n".join(f"{k},the value of this row is fine,and it passed,yes" for k in range(60)),
    "a LaTeX table": "\n".join(f"{k} & this is the case as it has to be & fine \\\\" for k in range(50)),
    "cases with values": "\n".join(f"For n = {n} we get n^2 + 11 = {n * n + 11}, a number." for n in range(1, 61)),
    "cases with a linear value": "\n".join(f"If n = {n}, then 3n + 2 = {3 * n + 2}, so it is fine." for n in range(60)),
    "a list of primes": "\n".join(f"The next number that we may take here is {p}." for p in PRIMES),
    "cases that say it again": "".join(f"Day {k}: up 3 and down 2, so it is at {k} now. " for k in range(1, 28)),
    "short cases": "\n".join(f"n = {n}: no" for n in range(80)),
    "a counter, then more": "".join(f"Case {k}: this one cannot hold, as we saw. " for k in range(30)) + prose(30),
    "a third": "x = 0." + "3" * 80,
    "a hundred noughts": "1" + "0" * 100,
    "a ruler": "Result\n" + "=" * 120,
    "a blank to fill in": "Name: " + "_" * 90,
    "rows of noughts": "\n".join(["0 0 0 0 0 0 0 0 0 0"] * 20),
    "a refrain": "We will, we will go there again tomorrow and sing\n" * 3,
    "laughter": "and he said ha ha ha ha ha ha ha ha",
    "closing brackets": "f(g(h(x" + ")" * 40,
    "asserts": "\n".join(f"assert is_even({k}) is {k % 2 == 0}" for k in range(40)),
    "blank lines": "the end" + "\n" * 5000,
    "nothing": "",
    "one character": "x",
}  # fmt: skip


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_a_loop_at_the_end_is_found(text: str) -> None:
    assert measured(text).ending[0] >= 3
    assert measured(text + " \n\t").ending[0] >= 3


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_honest_repetition_is_left_alone(text: str) -> None:
    found = measured(text)
    assert (found.ending[0], found.copies[0] >= 8 and found.words[0] >= 40) == (0, False)


def test_a_text_is_measured_by_itself() -> None:
    """Trap: arrays that the kernels use again from row to row."""
    texts = [*LOOPS.values(), None, *HONEST.values()]
    together = repetition(pa.chunked_array([pa.array(texts[:9]), pa.array(texts[9:])]), 20)
    alone = [0 if text is None else int(measured(text).ending[0]) for text in texts]
    assert together.ending.tolist() == alone


def test_loops_of_every_length_are_found_and_random_texts_never() -> None:
    for _ in range(60):
        block = prose(RNG.randrange(1, 400))
        copies = max(3, 95 // len(block.split()) + 1)
        assert measured(prose(RNG.randrange(300)) + block * copies).ending[0] >= 3
        assert measured(prose(RNG.randrange(1500))).ending[0] == 0
