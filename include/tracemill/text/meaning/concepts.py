"""The words of mathematics, and of the things that its stories are about, in English and Chinese: one name a meaning.

A translation keeps numbers and formulas and changes every word; a paraphrase takes the next word for the same thing.
Both meet again here, by concepts.txt: first what can be asked for, then things. Written by hand from the vocabulary of
school and competition mathematics, not from any benchmark.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tracemill.text.symbols import words_of

# Words that any problem may have: they are no evidence.
STOCK = words_of(
    """a an the of to in on at by for from with as is are was were be been being that this these those it its
        and or
        if then so than but not no nor do does did done has have had having can could may might must shall should will
        would let suppose given assume consider find determine compute calculate evaluate what which who whom whose how
        when where there here all any each every some such both either one ones other another only also into out up down
        over under between among within about after before during through per we you he she they them his her their our
        your my me him us i m n p q k x y z t s r b c d e f g h j l u v w o answer answers express expressed write
        written form simplest lowest terms common number numbers value values positive integer integers relatively prime
        where remainder divided question problem following below above shown figure diagram example note called call
        define defined denote denoted exactly least most more less first second third last called thus hence get gets
        give gives make makes take takes put use uses used using be say says said show shows their there's
        respectively possible however whether while until again just very much many as well step reason boxed final
        solve explain please return output input test case line contain contains single print"""
)
ASKED_STOCK = frozenset(("remainder",))  # of these the ones that say what is asked for
# Characters of the same sort: what stands in any problem, alone or in a compound that is no concept.
CHINESE_STOCK = frozenset(
    "的了是在有和与其所得到再最后哪个多少几以同样用这那些时为则若已知求设问从被把将于中上下里此之且或共就也还使可能会"
)
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("ing", ""), ("ed", ""),
            ("ly", ""), ("es", "e"), ("s", ""))  # fmt: skip
# What is asked for in more than one way.
ASKED_AS = {"fraction": "probability", "percent": "probability", "ratio": "probability", "arrangement": "count",
            "selection": "count", "way": "count", "multiple": "divisor", "solution": "value", "coordinate": "value",
            "expected": "value",
            "equation": "value", "expression": "value", "time": "time", "age": "value"}  # fmt: skip

# Concepts that exclude each other where one text has only the one, and the other only another of a line.
_CONTRASTS = [
    frozenset(line.split())
    for line in """sum difference product quotient
even odd
minimum maximum
area volume perimeter
radius diameter
circumcircle incircle
positive negative
sin cos tan
arithmetic geometric
increasing decreasing
least_common greatest_common
triangle rectangle pentagon hexagon heptagon octagon dodecagon
isosceles equilateral
parabola ellipse hyperbola
cone cylinder sphere pyramid
row column
buy sell
integral derivative
domain range
median mode
prime composite
real complex
inside outside
top bottom
boy girl
mile kilometer meter centimeter foot inch
red blue green white black yellow orange""".splitlines()
]
# What is asked for and is a thing of its own: not a count or a value, which any question may ask for.
AIMS = words_of(
    """sum difference product quotient area volume perimeter length height width distance radius diameter angle
        minimum maximum median mode speed cost age"""
)


def opposed(one: Collection[str], other: Collection[str]) -> bool:
    """Whether a concept of the one stands against its contrast in the other."""
    return any(not line.isdisjoint(one) and not line.isdisjoint(other) for line in _CONTRASTS)


def stem(word: str) -> str:
    """The word without the ending that grammar gave it; rough, but the same for both texts."""
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)] + instead
    return word


def forms(word: str) -> list[str]:
    """The word as English inflects it."""
    final_y = [word[:-1] + "ies", word[:-1] + "ied"] if word.endswith("y") else []
    final_e = [word[:-1] + "ing"] if word.endswith("e") else []
    return [word, *(word + ending for ending in ("s", "es", "d", "ed", "ing", "ly")), *final_y, *final_e]


def _read() -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
    """English words, Chinese words, and the names of what can be asked for; of two readings the first counts."""
    english = dict[str, str]()
    chinese = dict[str, str]()
    asked = list[str]()
    part = ""
    for line in (Path(__file__).with_suffix(".txt")).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            part = line
            continue
        name, words, han = (column.strip() for column in line.split("|"))
        asked += [name] if part == "# asked" else []
        for word in words.split():
            english.setdefault(word, name)
        for word in han.split():
            chinese.setdefault(word, name)
    for word, name in list(english.items()):  # what is listed goes first: odds are no odd numbers
        english.setdefault(stem(word), name)
    return english, chinese, frozenset(asked)


ENGLISH, CHINESE, ASKED = _read()
