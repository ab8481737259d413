"""The 25 instructions of IFEval (arXiv 2311.07911) as checks of one response.

A check returns whether the response follows, or None where this cannot be told without guessing. The rules are those
of google-research/instruction_following_eval, whose verdicts they reproduce (docs/design/verification.md has the
figures), with two differences on the safe side: key words are taken literally (there they are regular expressions of
the prompt's author, which `C++` and `$5` break), and a language is only told where two ways to tell it agree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tracemill.verify.instructions.counting import capital_words, compares, has_sentences, words
from tracemill.verify.instructions.spoken_language import is_in

Arguments = Mapping[str, Any]
Check = Callable[[str, Arguments], bool | None]

LISTS = frozenset(("keywords", "forbidden_words"))  # arguments that are lists of words; a text would be its letters
_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_POSTSCRIPTS = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
_JSON_MARKS = ("```json", "```Json", "```JSON", "```")


def _paragraphs(text: str, wanted: Arguments) -> bool:
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    if not all(parts[1:-1]):
        return False
    return sum(map(bool, parts)) == int(wanted["num_paragraphs"])


def _nth_paragraph(text: str, wanted: Arguments) -> bool:
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    place = int(wanted["nth_paragraph"])
    if not 0 < place <= count or not parts[place - 1].strip():
        return False
    word = parts[place - 1].split()[0].lstrip("'").lstrip('"').lower()
    first = re.split(r"[.,?!'\"]", word, maxsplit=1)[0]
    return count == int(wanted["num_paragraphs"]) and first == str(wanted["first_word"]).lower()


def _highlights(text: str, wanted: Arguments) -> bool:
    single = [found for found in re.findall(r"\*[^\n*]*\*", text) if found.strip("*").strip()]
    double = [found for found in re.findall(r"\*\*[^\n*]*\*\*", text) if found[2:-2].strip()]
    return len(single) + len(double) >= int(wanted["num_highlights"])


def _bullets(text: str, wanted: Arguments) -> bool:
    stars = re.findall(r"^[^\S\n]*\*[^*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^[^\S\n]*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == int(wanted["num_bullets"])


def _postscript(text: str, wanted: Arguments) -> bool:
    marker = wanted["postscript_marker"].strip()
    return re.search(_POSTSCRIPTS.get(marker, re.escape(marker.lower())), text.lower()) is not None


def _sections(text: str, wanted: Arguments) -> bool:
    splitter = re.escape(wanted["section_spliter"].strip())
    return len(re.findall(rf"{splitter}\s?\d+", text)) >= int(wanted["num_sections"])


def _title(text: str, wanted: Arguments) -> bool:
    """A line with something between its first << and its last >>."""
    for line in text.split("\n"):
        start = line.find("<<")
        end = line.rfind(">>")
        if 0 <= start < end - 2 and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


def _json(text: str, wanted: Arguments) -> bool:
    bare = text.strip()
    for mark in _JSON_MARKS:
        bare = bare.removeprefix(mark)
    try:
        json.loads(bare.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _two_responses(text: str, wanted: Arguments) -> bool:
    parts = [part.strip() for part in text.split("******")]
    if not all(parts[1:-1]):
        return False
    given = [part for part in parts if part]
    return len(given) == 2 and given[0] != given[1]


def _occurrences(word: str, text: str) -> int:
    return len(re.findall(re.escape(word), text, re.IGNORECASE))


def _has_word(word: str, text: str) -> bool:
    """Whether it stands there as a word: no letter or digit goes on where it begins or ends with one itself."""
    before = r"(?<!\w)" if re.match(r"\w", word) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", word) else ""
    return re.search(before + re.escape(word) + after, text, re.IGNORECASE) is not None


def _both(first: bool, second: Callable[[], bool | None]) -> bool | None:
    """Three-valued and."""
    return second() if first else False


CHECKS: dict[str, Check] = {
    "keywords:existence": lambda text, k: all(_occurrences(word, text) for word in k["keywords"]),
    "keywords:frequency": lambda text, k: compares(
        _occurrences(k["keyword"].strip(), text), k["relation"], k["frequency"]
    ),
    "keywords:forbidden_words": lambda text, k: not any(_has_word(word, text) for word in k["forbidden_words"]),
    "keywords:letter_frequency": lambda text, k: compares(
        text.lower().count(k["letter"].strip().lower()), k["let_relation"], k["let_frequency"]
    ),
    "language:response_language": lambda text, k: is_in(text, k["language"]),
    "length_constraints:number_sentences": lambda text, k: has_sentences(text, k["relation"], k["num_sentences"]),
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": lambda text, k: words(text, k["relation"], k["num_words"]),
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": lambda text, k: (
        len(re.findall(r"\[[^\n\[\]]*\]", text)) >= k["num_placeholders"]
    ),
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": lambda text, k: any(option in text for option in _OPTIONS),
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": lambda text, k: text.strip().lower().startswith(k["prompt_to_repeat"].strip().lower()),
    "startend:end_checker": lambda text, k: text.strip().strip('"').lower().endswith(k["end_phrase"].strip().lower()),
    "startend:quotation": lambda text, k: len(text.strip()) > 1 and text.strip()[0] == text.strip()[-1] == '"',
    "change_case:capital_word_frequency": lambda text, k: compares(
        capital_words(text), k["capital_relation"], k["capital_frequency"]
    ),
    "change_case:english_capital": lambda text, k: _both(text.isupper(), lambda: is_in(text.lower(), "en") or None),
    "change_case:english_lowercase": lambda text, k: _both(text.islower(), lambda: is_in(text, "en")),
    "punctuation:no_comma": lambda text, k: "," not in text,
}


def followed(name: str, text: str, wanted: Arguments) -> bool | None:
    """Strict: the response as it stands. A blank one follows nothing."""
    return CHECKS[name](text, wanted) if text.strip() else False


def followed_loosely(name: str, text: str, wanted: Arguments) -> bool | None:
    """Loose: whether any of eight readings follows, without its first line, its last line, both, and without stars."""
    lines = text.split("\n")
    cut = ("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))
    readings = [reading for whole in (text, *cut) for reading in (whole, whole.replace("*", ""))]
    found = [followed(name, reading, wanted) for reading in dict.fromkeys(readings)]
    return True if True in found else None if None in found else False
