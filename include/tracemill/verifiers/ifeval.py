"""The 25 instructions of IFEval (arXiv 2311.07911) as checks of one response, strict: the response as it stands.

A check returns whether the response follows, or None where this cannot be told without guessing. The rules are those
of google-research/instruction_following_eval, with three differences, all on the safe side: key words are taken
literally (there they are regular expressions), languages and sentences are told by `text.languages` and by
punctuation (there by langdetect and nltk's punkt, both statistical), and what these cannot tell is None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tracemill.text.languages import speaks

Arguments = Mapping[str, Any]
Check = Callable[[str, Arguments], bool | None]

_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_POSTSCRIPTS = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|Inc|Ltd|Co|No|Fig|a\.m|p\.m|U\.S|[A-Z])\.", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?。！？]+[\"'”’)\]*]*(?=\s|$)|(?<=[。！？])")
_UNSURE_SENTENCES = 1  # punctuation and punkt differ by about one sentence in twenty


def compares(count: int, relation: str, wanted: int) -> bool:
    """IFEval's two relations. Raises ValueError for another one."""
    if relation == "at least":
        return count >= wanted
    if relation == "less than":
        return count < wanted
    raise ValueError(f"unknown relation {relation!r}")


def sentences(text: str) -> int:
    """How many sentences end in the text; a last one without a period counts."""
    plain = _ABBREVIATION.sub(lambda match: match.group().replace(".", ""), text)
    parts = [part for part in _SENTENCE_END.split(plain) if part and re.search(r"\w", part)]
    return len(parts)


def _number_sentences(text: str, wanted: Arguments) -> bool | None:
    count, threshold = sentences(text), int(wanted["num_sentences"])
    sure = {compares(count + off, wanted["relation"], threshold) for off in (-_UNSURE_SENTENCES, 0, _UNSURE_SENTENCES)}
    return sure.pop() if len(sure) == 1 else None


def _paragraphs(text: str, wanted: Arguments) -> bool:
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    if not all(parts[1:-1]):
        return False
    return sum(map(bool, parts)) == int(wanted["num_paragraphs"])


def _nth_paragraph(text: str, wanted: Arguments) -> bool:
    parts = text.split("\n\n")
    count, place = sum(bool(part.strip()) for part in parts), int(wanted["nth_paragraph"])
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
    stars = re.findall(r"^[ \t]*\*[^*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^[ \t]*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == int(wanted["num_bullets"])


def _postscript(text: str, wanted: Arguments) -> bool:
    marker = wanted["postscript_marker"].strip()
    return re.search(_POSTSCRIPTS.get(marker, re.escape(marker.lower())), text.lower()) is not None


def _sections(text: str, wanted: Arguments) -> bool:
    return len(re.findall(rf"{re.escape(wanted['section_spliter'].strip())}\s?\d+", text)) >= int(
        wanted["num_sections"]
    )


def _title(text: str, wanted: Arguments) -> bool:
    """A line with something between its first << and its last >>."""
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start : end + 2].strip("<>").strip():
            return True
    return False


def _json(text: str, wanted: Arguments) -> bool:
    bare = re.sub(r"\A```(?:json|Json|JSON)?", "", text.strip()).removesuffix("```").strip()
    try:
        json.loads(bare)
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
    return len(re.findall(re.escape(word.strip()), text, re.IGNORECASE))


def _capital_words(text: str) -> int:
    return sum(word.isupper() for word in re.findall(r"\w[\w.'’-]*", text))


def _both(first: bool, second: bool | None) -> bool | None:
    """Three-valued and."""
    return False if not first else second


CHECKS: dict[str, Check] = {
    "keywords:existence": lambda text, k: all(_occurrences(word, text) for word in k["keywords"]),
    "keywords:frequency": lambda text, k: compares(_occurrences(k["keyword"], text), k["relation"], k["frequency"]),
    "keywords:forbidden_words": lambda text, k: (
        not any(re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) for word in k["forbidden_words"])
    ),
    "keywords:letter_frequency": lambda text, k: compares(
        text.lower().count(k["letter"].strip().lower()), k["let_relation"], k["let_frequency"]
    ),
    "language:response_language": lambda text, k: speaks(text, k["language"]),
    "length_constraints:number_sentences": _number_sentences,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": lambda text, k: compares(
        len(re.findall(r"\w+", text)), k["relation"], k["num_words"]
    ),
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
        _capital_words(text), k["capital_relation"], k["capital_frequency"]
    ),
    "change_case:english_capital": lambda text, k: _both(text.isupper(), speaks(text, "en")),
    "change_case:english_lowercase": lambda text, k: _both(text.islower(), speaks(text, "en")),
    "punctuation:no_comma": lambda text, k: "," not in text,
}
