"""Decides whether two prints of the same words differ in letter case or punctuation that can change what is asked.

Tokens fold both, for sources print one problem in many ways. What is harmless is known by what it is: the head of a
sentence, a heading, a whole text in capitals; a break beside a formula, before "and", behind a clause that "if" opens.
Anything else (`a` for `A`, Polish for polish, "Let's eat, grandma") may be another problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tracemill.text.symbols import words_of
from tracemill.text.vocabulary import NUMBER_WORDS
from tracemill.text.wording.lexicon import GRAMMAR, synonyms
from tracemill.text.wording.stemming import stem

_WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:'[a-z]+)?|\d+(?:,\d{3})*(?:\.\d+)?|[^\W_]")
_BREAK = re.compile(r"[,;:.!?，。；：！？、]|--|\s-\s")
_END = re.compile(r"[.!?:\n。！？：]")
_QUOTED = re.compile(r"(?<![\w`])([\"'`])(?=[^\s`])([^\n`]{1,200}?)(?<=\S)\1(?![\w`])")
_CLOSING = ".,;:!? \n"
# Where a text is about words themselves, every letter of them counts.
_ABOUT_WORDS = re.compile(
    r"\b(?:letters?|words?|strings?|characters?|uppercase|lowercase|capital letters?|spell\w*|phrase|sentence|text"
    r"|typed?|prints?|outputs?|returns?|quot\w+|punctuat\w+|translat\w+|palindrome|anagram|vowels?|rhym\w+)\b"
    r"|字母|字符|单词|大写|小写|标点|输出|打印",
    re.I,
)
_OPENS_CLAUSE = words_of(
    """if when whenever given let suppose assume consider in on at for after before since while as from to by with
    during among using although because once until unless where under between without what find"""
)
_MAY_FOLLOW = words_of(
    """and or but then so where when which who that if with for as given each respectively find determine compute
    calculate evaluate how what is are was were in at on let suppose such not while please"""
)
_MAY_PRECEDE = words_of(
    "then so thus hence first next finally now here also however therefore note yes no please answer question"
)
# Words that name something else in capitals, beside those of the lexicon.
_NAMES_TOO = words_of(
    """turkey china apple rose python java ruby rust swift scheme basic mercury cologne jersey hamlet lima reading nice
    mobile cancer earth august pole poles finnish lent frank grant hope faith joy grace ivy lily daisy iris jasmine
    olive holly amber pearl dawn guinea chile hungary amazon windows word excel chrome safari shell target"""
)
_PRONOUN_VERBS = words_of("am have had was want need can could will would do did buy bought think like see say")
PRINTED_OTHERWISE = 0.5  # of the words in another letter case: the whole text, or a heading, is printed so


@dataclass(frozen=True)
class _Words:
    """The words of a text; `before[k]` is what stands before word k, `before[-1]` what ends the text."""

    words: tuple[str, ...]
    before: tuple[str, ...]


def other_print(one: str, other: str) -> bool:
    """Whether two texts of the same words may ask for two things, for their letter case or punctuation."""
    if one == other:
        return False
    first = _read(one)
    second = _read(other)
    about_words = _ABOUT_WORDS.search(one) is not None
    if _quoted(one, other, about_words):
        return True
    if tuple(map(_plain, first.words)) != tuple(map(_plain, second.words)):
        return False  # no prints of the same words: the words decide
    return _case(first, second, about_words) or any(_breaks(first, second)) or _grouped(first, second)


@lru_cache(maxsize=256)
def _read(text: str) -> _Words:
    words = []
    before = []
    end = 0
    for found in _WORD.finditer(text):
        words.append(found[0])
        before.append(text[end : found.start()])
        end = found.end()
    return _Words(tuple(words), (*before, text[end:]))


def _plain(word: str) -> str:
    small = word.lower()
    number = NUMBER_WORDS.get(small, small).replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def _quoted(one: str, other: str, about_words: bool) -> bool:
    """Whether what either text quotes stands in the other with other letters or marks, or, in a text about words,

    without its quotes.
    """
    quotes = [[body.strip(_CLOSING) for _, body in _QUOTED.findall(text)] for text in (one, other)]
    if about_words and len(quotes[0]) != len(quotes[1]):
        return True
    small = [{quote.lower(): quote for quote in found} for found in quotes]
    shared = small[0].keys() & small[1].keys()
    return any(small[0][quote] != small[1][quote] for quote in shared)


def _case(one: _Words, other: _Words, about_words: bool) -> bool:
    """Whether a word has another letter case for which neither its place nor the print of the whole text accounts."""
    pairs = list(zip(one.words, other.words, strict=True))
    differing = [k for k, (first, second) in enumerate(pairs) if first != second and first.lower() == second.lower()]
    if not differing:
        return False
    spoken = [pair for pair in pairs if len(pair[0]) > 1 and pair[0][0].isalpha()]
    changed = sum(first != second for first, second in spoken)
    if changed >= 3 and changed >= PRINTED_OTHERWISE * len(spoken):
        return about_words and any(_QUOTED.search("".join(side.before)) for side in (one, other))
    return any(not _harmless_case(one, other, place, about_words) for place in differing)


def _harmless_case(one: _Words, other: _Words, place: int, about_words: bool) -> bool:
    first = one.words[place]
    second = other.words[place]
    capital = one if first[0].isupper() else other
    opens = place == 0 or _END.search(capital.before[place]) is not None
    after = one.words[place + 1].lower() if place + 1 < len(one.words) else ""
    if len(first) == 1:
        spoken = len(after) > 1 and after.isalpha() and not one.before[place + 1].strip()
        article = first in "aA" and opens and spoken
        return article or (first in "iI" and (after in _PRONOUN_VERBS or after.endswith("ed")) and spoken)
    if opens and _is_capitalised(first, second):
        return True
    if about_words:
        return False
    small = first.lower()
    if small in GRAMMAR:
        return small not in ("us", "it", "who", "may", "am")
    known = stem(small) in synonyms() or small in _NAMES_TOO
    return known if first.isupper() or second.isupper() else not known and _is_capitalised(first, second)


def _is_capitalised(first: str, second: str) -> bool:
    """Whether the words differ in their first letter alone."""
    return first[1:] == second[1:]


def _breaks(one: _Words, other: _Words) -> Iterator[bool]:
    """For each place at which only one of the texts breaks: whether that says something."""
    clause = ""  # the word that the clause before the place began with
    for place in range(1, len(one.words)):
        broken = [_BREAK.search(side.before[place]) is not None for side in (one, other)]
        if place == 1 or any(_BREAK.search(side.before[place - 1]) for side in (one, other)):
            clause = one.words[place - 1].lower()
            clause = "" if (clause, one.words[place].lower()) == ("let", "us") else clause
        if broken[0] != broken[1]:
            yield not _harmless_break(one, other, place, clause)


def _harmless_break(one: _Words, other: _Words, place: int, clause: str) -> bool:
    before = one.words[place - 1]
    after = one.words[place]
    around = one.before[place] + other.before[place]
    if not (_is_spoken(before) and _is_spoken(after)) or "\n" in around or re.search(r"[^\s\w,;:.!?'\"*-]", around):
        return True
    small = after.lower()
    if small in _MAY_FOLLOW or before.lower() in _MAY_PRECEDE or before.endswith("ly"):
        return True
    return clause in _OPENS_CLAUSE


def _is_spoken(word: str) -> bool:
    return len(word) > 1 and word[0].isalpha() and word.lower() not in NUMBER_WORDS


def _grouped(one: _Words, other: _Words) -> bool:
    """Whether a comma that may part two arguments, as in f(1,200), is in one of the texts only."""
    return any(
        first != second and "," in first + second and (_in_brackets(one, place) or _in_brackets(other, place))
        for place, (first, second) in enumerate(zip(one.words, other.words, strict=True))
    )


def _in_brackets(side: _Words, place: int) -> bool:
    return side.before[place].endswith(("(", "[", "{")) or side.before[place + 1].startswith((")", "]", "}"))


def groups(texts: Sequence[str]) -> list[int]:
    """For texts of the same tokens: the place of the first text of which each is a harmless print."""
    heads: list[int] = []
    found = []
    for place, text in enumerate(texts):
        head = next((one for one in heads if not other_print(texts[one], text)), None)
        if head is None:
            heads.append(place)
            head = place
        found.append(head)
    return found
