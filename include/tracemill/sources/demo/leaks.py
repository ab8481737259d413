"""Benchmark problems invented for the demo, and the ways in which they leak into its data.

`recipes/benchmarks/demo_benchmark.jsonl` holds the same problems; a test keeps the two together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkProblem:
    """A benchmark item and a paraphrase of it that shares no eight words in a row."""

    name: str
    problem: str
    answer: str
    paraphrase: str


BENCHMARK: tuple[BenchmarkProblem, ...] = (
    BenchmarkProblem(
        "demo/1",
        "A clockmaker winds a tower clock every third day and oils it every fifth day. In a year of 365 days that "
        "begins "
        "with both jobs on the first day, on how many days does the clockmaker do exactly one of the two jobs?",
        "145",
        "Every third day a clockmaker winds the clock of a tower, and every fifth day the clock is oiled. A year "
        "with 365 "
        "days starts with both of these jobs on day one. On how many days of that year is exactly one job done?",
    ),
    BenchmarkProblem(
        "demo/2",
        "Seven lanterns hang in a row and each of them may be lit or dark. How many patterns have at least two lit "
        "lanterns "
        "but no two lit lanterns side by side?",
        "26",
        "Each of seven lanterns in a row may be dark or lit. How many patterns of lit and dark lanterns have no two lit "
        "lanterns next to each other, but at least two lit ones?",
    ),
    BenchmarkProblem(
        "demo/3",
        "A snail climbs a well that is 40 metres deep. By day it climbs 5 metres, and by night it slips back 2 metres. "
        "Counting the first day as day one, on which day does the snail first reach the rim?",
        "13",
        "There is a well 40 metres in depth and a snail climbing it. The snail climbs 5 metres each day, but slips "
        "back 2 "
        "metres each night. If we count the first day as day one, on what day does it reach the rim first?",
    ),
    BenchmarkProblem(
        "demo/4",
        "The letters of the word PARALLEL are written on eight cards. How many different words of eight letters, "
        "with or "
        "without meaning, can be laid with all of the cards if the three letters L stay together?",
        "360",
        "Eight cards carry the letters of the word PARALLEL. If the three L letters have to stay together, how many "
        "different eight-letter words (meaning does not matter) can be laid when all the cards are used?",
    ),
    BenchmarkProblem(
        "demo/5",
        "A square piece of paper with side 12 is folded so that one corner lands on the midpoint of an opposite "
        "side. What "
        "is the length of the shorter leg of the smaller of the two right triangles at the edge?",
        "4.5",
        "One corner of a square sheet of paper, whose side is 12, is folded onto the midpoint of an opposite side. "
        "Find how "
        "long the shorter leg is in the smaller one of both right triangles at the edge.",
    ),
    BenchmarkProblem(
        "demo/6",
        "Four friends share 30 identical chestnuts so that everybody gets at least three and nobody gets more than "
        "ten. In "
        "how many ways can the chestnuts be shared?",
        "246",
        "30 identical chestnuts are shared by four friends. Everybody must get at least three of them, and nobody "
        "may get "
        "more than ten. How many ways of sharing the chestnuts are there?",
    ),
    BenchmarkProblem(
        "demo/7",
        "A ferry carries either 9 cars or 6 trucks on one crossing, never both kinds at once. One morning it made 14 "
        "full "
        "crossings and carried 108 vehicles. How many trucks did the ferry carry that morning?",
        "36",
        "On each crossing a ferry carries 9 cars or else 6 trucks, but never the two kinds together. During one "
        "morning the "
        "ferry carried 108 vehicles in 14 full crossings. How many trucks were carried?",
    ),
    BenchmarkProblem(
        "demo/8",
        "The product of three consecutive even numbers is 64 times their sum. What is the largest of the three "
        "numbers if "
        "all of them are positive?",
        "16",
        "Three consecutive even numbers, all positive, have a product equal to 64 times their sum. Which is the "
        "largest "
        "number of the three?",
    ),
)


def leaked(kind: str, item: BenchmarkProblem) -> str:
    """The benchmark problem as it appears in careless training data."""
    if kind == "contaminated_exact":
        return item.problem.upper().replace(". ", ".  ")
    if kind == "contaminated_ngram":
        return f"This one is from our club's evening of riddles. {item.problem} Explain your reasoning to a friend."
    return item.paraphrase
