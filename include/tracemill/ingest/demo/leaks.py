"""Benchmark problems invented for the demo, and the ways in which they leak into its data.

`recipes/benchmarks/demo_benchmark.jsonl` holds the same problems; a test keeps the two together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BenchmarkProblem:
    """A benchmark item; it leaks in one way. `paraphrase` says the same and shares no eight words in a row."""

    name: str
    leak: str
    problem: str
    answer: str
    paraphrase: str = ""


BENCHMARK: tuple[BenchmarkProblem, ...] = (
    BenchmarkProblem(
        "demo/1",
        "contaminated_ngram",
        "A clockmaker winds a tower clock every third day and oils it every fifth day. In a year of 365 days that "
        "begins with both jobs on the first day, on how many days does the clockmaker do exactly one of the two "
        "jobs?",
        "145",
    ),
    BenchmarkProblem(
        "demo/2",
        "contaminated_ngram",
        "Seven lanterns hang in a row and each of them may be lit or dark. How many patterns have at least two lit "
        "lanterns but no two lit lanterns side by side?",
        "26",
    ),
    BenchmarkProblem(
        "demo/3",
        "contaminated_alignment",
        "A snail climbs a well that is 40 metres deep. By day it climbs 5 metres, and by night it slips back 2 "
        "metres. Counting the first day as day one, on which day does the snail first reach the rim?",
        "13",
        "There is a well 40 metres in depth and a snail climbing it. The snail climbs 5 metres each day, but slips "
        "back 2 metres each night. If we count the first day as day one, on what day does it reach the rim first?",
    ),
    BenchmarkProblem(
        "demo/4",
        "contaminated_alignment",
        "The letters of the word PARALLEL are written on eight cards. How many different words of eight letters, "
        "with or without meaning, can be laid with all of the cards if the three letters L stay together?",
        "360",
        "Eight cards carry the letters of the word PARALLEL. If the three L letters have to stay together, how many "
        "different eight-letter words (meaning does not matter) can be laid when all the cards are used?",
    ),
    BenchmarkProblem(
        "demo/5",
        "contaminated_ngram",
        "A square piece of paper with side 12 is folded so that one corner lands on the midpoint of an opposite "
        "side. What is the length of the shorter leg of the smaller of the two right triangles at the edge?",
        "4.5",
    ),
    BenchmarkProblem(
        "demo/6",
        "contaminated_ngram",
        "Four friends share 30 identical chestnuts so that everybody gets at least three and nobody gets more than "
        "ten. In how many ways can the chestnuts be shared?",
        "246",
    ),
    BenchmarkProblem(
        "demo/7",
        "contaminated_alignment",
        "A ferry carries either 9 cars or 6 trucks on one crossing, never both kinds at once. One morning it made 14"
        " full crossings and carried 108 vehicles. How many trucks did the ferry carry that morning?",
        "36",
        "On each crossing a ferry carries 9 cars or else 6 trucks, but never the two kinds together. During one "
        "morning the ferry carried 108 vehicles in 14 full crossings. How many trucks were carried?",
    ),
    BenchmarkProblem(
        "demo/8",
        "contaminated_alignment",
        "The product of three consecutive even numbers is 64 times their sum. What is the largest of the three "
        "numbers if all of them are positive?",
        "16",
        "Three consecutive even numbers, all positive, have a product equal to 64 times their sum. Which is the "
        "largest number of the three?",
    ),
    BenchmarkProblem(
        "demo/9",
        "contaminated_exact",
        "A lottery sells tickets that are numbered from 1 to 500. A ticket wins if its number is divisible by 7 and "
        "has the digit 7 exactly once. How many tickets win?",
        "13",
    ),
    BenchmarkProblem(
        "demo/10",
        "contaminated_exact",
        "Nine chairs stand around a round table. In how many ways can three equal cushions be placed on the chairs "
        "so that no two of them lie on neighbouring chairs?",
        "30",
    ),
    BenchmarkProblem(
        "demo/11",
        "contaminated_exact",
        "A gardener plants tulips in a triangle: one in the first row, two in the second, and so on, up to 45 rows. "
        "Every seventh tulip that is planted is white. How many white tulips are there?",
        "147",
    ),
    BenchmarkProblem(
        "demo/12",
        "contaminated_exact",
        "The sum of the digits of a three-digit number is 19, and reversing its digits makes it larger by 297. How "
        "many such numbers are there?",
        "3",
    ),
)


def leaked(item: BenchmarkProblem) -> str:
    """The benchmark problem as it appears in careless training data."""
    if item.leak == "contaminated_exact":
        return item.problem.upper().replace(". ", ".  ")
    if item.leak == "contaminated_ngram":
        return f"This one is from our club's evening of riddles. {item.problem} Explain your reasoning to a friend."
    return item.paraphrase
