"""The demo's English exercises."""

from __future__ import annotations

from fractions import Fraction
from math import comb, gcd, lcm

from tracemill.ingest.demo.exercises import Family

MATHS: tuple[Family, ...] = (
    Family(
        "easy",
        "A bakery sells {a} loaves on Monday and {b} loaves on Tuesday, and every loaf costs {c} crowns. How many "
        "crowns "
        "does the bakery take in over the two days?",
        "({a} + {b}) * {c}",
        lambda a, b, c: (a + b) * c,
    ),
    Family(
        "easy",
        "A farmer has {a} crates of apples with {b} apples each. On the way to the market {c} apples fall off the "
        "cart. "
        "How many apples arrive?",
        "{a} * {b} - {c}",
        lambda a, b, c: a * b - c,
    ),
    Family("easy", "Compute the value of ${a} \\times {b} + {c}$.", "{a} * {b} + {c}", lambda a, b, c: a * b + c),
    Family(
        "medium",
        "Solve the equation ${a}x + {b} = {c}$ for the absolute value of $x$, written as a reduced fraction if needed.",
        "|({c} - {b}) / {a}|",
        lambda a, b, c: abs(Fraction(c - b, a)),
    ),
    Family(
        "medium",
        "A train leaves the station and covers {a} kilometres in the first hour, {b} in the second and {c} in the "
        "third. "
        "What is its average speed in kilometres per hour?",
        "({a} + {b} + {c}) / 3",
        lambda a, b, c: Fraction(a + b + c, 3),
    ),
    Family(
        "medium",
        "What is the remainder when ${a}^{{{b}}}$ is divided by ${c}$?",
        "{a}^{b} mod {c}",
        lambda a, b, c: pow(a, b, c),
    ),
    Family(
        "easy",
        "A rectangular garden is {a} metres long and {b} metres wide. A square pond with a side of {c} decimetres is "
        "dug in "
        "it. How many square decimetres of garden are left?",
        "{a} * 10 * {b} * 10 - {c} * {c}",
        lambda a, b, c: 100 * a * b - c * c,
    ),
    Family(
        "medium",
        "Find the greatest common divisor of ${a} \\cdot {c}$ and ${b} \\cdot {c}$.",
        "gcd({a}, {b}) * {c}",
        lambda a, b, c: gcd(a, b) * c,
    ),
    Family(
        "medium",
        "Three lighthouses flash every {a}, {b} and {c} seconds. They have just flashed together. After how many "
        "seconds "
        "will they next flash at the same moment?",
        "lcm({a}, {b}, {c})",
        lambda a, b, c: lcm(a, b, c),
    ),
    Family(
        "hard",
        "A committee of two is chosen from {a} engineers, another committee of two from {b} doctors, and one chair "
        "from {c} "
        "teachers. In how many ways can this be done?",
        "C({a}, 2) * C({b}, 2) * {c}",
        lambda a, b, c: comb(a, 2) * comb(b, 2) * c,
    ),
    Family(
        "medium",
        "The first term of an arithmetic sequence is {a} and its common difference is {b}. What is term number {c}?",
        "{a} + ({c} - 1) * {b}",
        lambda a, b, c: a + (c - 1) * b,
    ),
    Family(
        "hard",
        "Let $f(x) = {a}x^2 - {b}x + {c}$. Determine $f(7) + f(-7)$.",
        "2 * ({a} * 49 + {c})",
        lambda a, b, c: 2 * (49 * a + c),
    ),
    Family(
        "easy",
        "A library lends {a} novels, {b} comics and {c} atlases in one week. What fraction of the loans are novels?",
        "{a} / ({a} + {b} + {c})",
        lambda a, b, c: Fraction(a, a + b + c),
    ),
    Family(
        "medium",
        "A tank holds {a} hundred litres. One pipe fills {b} litres a minute while a leak loses {c} litres an hour. "
        "How many "
        "litres are in the tank after one hour, if it was empty and does not overflow?",
        "60 * {b} - {c}, at most 100 * {a}",
        lambda a, b, c: min(60 * b - c, 100 * a),
    ),
    Family(
        "hard",
        "Evaluate the determinant of the matrix $\\begin{{pmatrix}} {a} & {b} \\\\ -{c} & {a} \\end{{pmatrix}}$.",
        "{a} * {a} + {b} * {c}",
        lambda a, b, c: a * a + b * c,
    ),
    Family(
        "medium",
        "Two cyclists start {a} kilometres apart and ride towards each other at {b} and {c} kilometres per hour. "
        "After how "
        "many hours do they meet? Give an exact fraction.",
        "{a} / ({b} + {c})",
        lambda a, b, c: Fraction(a, b + c),
    ),
    Family(
        "hard",
        "How many positive integers up to ${a} \\cdot {b} \\cdot {c}$ are multiples of ${a}$?",
        "{b} * {c}",
        lambda a, b, c: b * c,
    ),
    Family(
        "easy",
        "In a theatre there are {a} rows of {b} seats. Tonight {c} seats are empty. How many visitors are seated?",
        "{a} * {b} - {c}",
        lambda a, b, c: a * b - c,
    ),
    Family(
        "medium",
        "A bag contains {a} red, {b} green and {c} blue marbles. One marble is drawn at random. What is the "
        "probability that "
        "it is not red?",
        "({b} + {c}) / ({a} + {b} + {c})",
        lambda a, b, c: Fraction(b + c, a + b + c),
    ),
    Family(
        "hard",
        "Find the sum of all integers $k$ with $1 \\le k \\le {a}$, multiplied by ${b}$ and then increased by ${c}$.",
        "{a} * ({a} + 1) / 2 * {b} + {c}",
        lambda a, b, c: a * (a + 1) // 2 * b + c,
    ),
    Family(
        "easy",
        "Mira saves {a} coins a week. After {b} weeks she buys a kite for {c} coins. How many coins does she have "
        "left?",
        "{a} * {b} - {c}",
        lambda a, b, c: a * b - c,
    ),
    Family(
        "medium",
        "A wall of {a} by {b} tiles is painted by one worker at {c} tiles an hour. How many hours does the work "
        "take, as an "
        "exact fraction?",
        "{a} * {b} / {c}",
        lambda a, b, c: Fraction(a * b, c),
    ),
)
