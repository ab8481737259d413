"""One spelling of a problem: what sources put around or print differently is taken away before anything is compared.

Exact keys, n-grams, embeddings and decontamination all read this text. Taken away: enumerators ("12. ", "Problem 5:"),
points, instructions on the form of the answer, figure code. Made equal: Unicode look-alikes and LaTeX spelling, `$`
against `\\(`. Nothing that could change the answer goes: a number stays wherever it is not plainly an enumerator. What
lies beyond (letter case, numbers as words) is the tokeniser's business. The text is for comparing, not for reading.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tracemill.text.choices import listed
from tracemill.text.figures import without_figures
from tracemill.text.folding import folded, plain_texts
from tracemill.text.instructions import without_instructions
from tracemill.text.notation import MAY_BE as NOTATION
from tracemill.text.notation import one_notation
from tracemill.text.origins import MAY_BE, without_origin
from tracemill.text.vocabulary import SAME_COMMAND, SKIPPED

ROUNDS = 8  # an enumerator may hide an instruction and the other way round; real texts need two
POINTS = 60  # characters that "(this question is worth 5 points)" takes at most
_SAFE = r"(?=[A-Z\"'\\$\u3400-\u9fff]|[a-z]{2})"  # what a problem can begin with after a bare number in brackets
_YEARS = (
    r"\((?=\d{4}\)|[^()\n]{0,60}(?:[A-Za-z]{2}|[\u3400-\u9fff]))(?:[^()\n]{0,60}?(?:\b(?:19|20)\d\d\b|olympiad|contest|competition|league|grade|年|卷|竞赛|联赛)"
    r"[^()\n]{0,60})\)"
)
_POINTS = (
    r"[(\[【]\s*(?:(?:each|worth|total|本(?:小|大)?题|每(?:小)?题|满分|共|得分|分值|[:,]\s*)\s*)*\d{1,3}(?:\.\d)?\s*"
    r"(?:points?|marks?|pts?\.?|分)(?:\s*(?:each|in total|total))?\s*[)\]】]"
)
_LABEL = (
    r"(?:problem|question|exercise|example|task|puzzle|prob|instruction|user|human|ex|aufgabe|problema|exercice|задача)"
)
_LABELLED = rf"(?:(?i:{_LABEL})\.?|(?i:no|q)\.?)\s*[#№]?\s*\d{{1,4}}(?:\.\d{{1,3}})*[a-z]?\s*(?:{_YEARS}\s*)?"
_HEADS = [
    _LABELLED + r"(?:[.:)\-]+(?=\s|\D)\s*|\s+(?=[A-Z\\$\"]))",
    rf"(?i:{_LABEL}(?:\s+statement)?)\s*[A-Z]?\s*[:.](?=\s)\s*",
    rf"(?i:{_LABEL}(?:\s+statement)?)[ \t]*\n(?=[A-Z\d$\\\"'(\[\u3400-\u9fff])",
    r"#\d{1,3}[.:)]?\s+(?=[A-Z])",
    r"\d{1,4}(?:\.\d{1,3})*[.)]\s+(?!\d+[.,](?!\d)|\d+\s*\Z|[-+*/=<>^])",
    r"\d{1,4}(?:\.\d{1,3})*[.)、:]\s*(?=[\u3400-\u9fff])",
    r"\d{1,4}\.(?=[A-Z][a-z])|\d{1,4}、\s*|Q\s*[:.]\s+",
    rf"[(\[]\d{{1,4}}[)\]]\s*{_SAFE}",
    rf"(?:II|III|IV|VI|VII|VIII|IX|XI|XII|[IVX])[.)]\s+{_SAFE}",
    r"[a-h]\)\s+(?=[A-Z\\$])",
    r"[APQT]\d{1,2}[.):]\s+(?=[A-Z])",
    r"\(a\)\s+(?=[A-Z][a-z])(?!(?s:.*)\(b\))",
    r"【?(?:例题?|练习|习题|题目?|问题)\s*[\d一二三四五六七八九十]{1,3}】?\s*[.:、)]?\s*(?![\d年月日个])",
    r"【?(?:题目|问题|例题)】?\s*[:]\s*|【(?:题目|问题|例题?)】\s*",
    r"第\s*[\d一二三四五六七八九十]{1,3}\s*[题道]\s*[.:、)]?\s*",
    r"[一二三四五六七八九十]{1,3}、\s*|\([一二三四五六七八九十]{1,3}\)\s*",
    rf"{_POINTS}\s*[.:]?\s*",
    rf"{_YEARS}\s*",
]
_HEAD = re.compile("|".join(f"(?:{head})" for head in _HEADS))
_MARKDOWN = re.compile(r"[#>\s]*(?:\*\*|__)?(?=\S)|\s+")
_CLOSING = re.compile(r"\s*(?:\*\*|__)\s*")
_EMPHASISED = re.compile(  # a label in bold or italic print
    r"[#>\s]*(?:(?P<mark>\*{1,3}|_{1,3})|<(?P<tag>b|strong|i|em|u|h\d)>)(?=\S)(?P<label>[^*_<>\n]{1,80}?)"
    r"(?(mark)(?P=mark)|</(?P=tag)>)\s*(?P<rest>(?s:.+))",
    re.I,
)
_PRINTED = re.compile(r"\[(i|b|u|center)\](.*?)\[/\1\]", re.S)  # as forums print
_CIRCLED = re.compile(r"\s*[\u2460-\u2473]\s*")
_ENDS = re.compile(rf"\s*{_POINTS}\s*\.?\s*\Z")
_TEXT = re.compile(
    r"\\(?:text|textbf|textit|textrm|emph|mathrm|mathbf|mathit|mathsf|operatorname\*?|mbox|underline|(?:sub){0,2}section\*?)\s*\{([^{}]*)\}"
)
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_PAGE = re.compile(
    r"\\(?:begin|end)\s*\{(?:center|document|flushleft|problem|question|equation\*?|align\*?|gather\*?)\}|\\item\b"
)
_SPACING = re.compile(r"\\[,;:!> ]|\\q?quad(?![a-zA-Z])")
_DISPLAY = re.compile(r"\\[\[\]]|\$\$")
_FORMULA = re.compile(r"\\[()$]|\$")
_SPELLING: dict[str, str] = {
    **SAME_COMMAND,
    **{command: "" for command in SKIPPED if command not in (r"\quad", r"\qquad")},
}
# Rows without any of these are only trimmed: most plain prose.
_MATTERS = (
    r"[$\\#\[\]`<*]|^\s*[(\d_]|\d+\)|(?:^|\s)\(?[Bb][.):、．]|"
    + MAY_BE
    + "|"
    + NOTATION
    + r"|(?i:answer|response|step|reason|solution|problem|question|exercise|example|task|think"
    r"|code|work|point|mark|http|^\s*[a-z]{1,8}\s*\d{0,4}[.):])|  |[\x00-\x1f]|[^\x00-\x7e]"
)


def normalised_problem(text: str) -> str:
    """The text in its one spelling; applying it twice changes nothing, and it is empty only for a blank text."""
    for _ in range(ROUNDS):
        if (shorter := _round(text)) == text:
            break
        text = shorter
    return text


def normalised_problems(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`normalised_problem` of a column of strings, as large_string; null becomes the empty string."""
    column = plain_texts(texts)
    rows = np.flatnonzero(pc.match_substring_regex(column, _MATTERS).to_numpy(zero_copy_only=False))
    trimmed = pc.utf8_trim_whitespace(column)
    if not len(rows):
        return trimmed
    changed = pa.array(
        [normalised_problem(text) for text in column.take(pa.array(rows)).to_pylist()], pa.large_string()
    )
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(trimmed, pa.array(mask), changed)


def _round(text: str) -> str:
    """One pass over all rules."""
    bare = _CIRCLED.sub("", text, count=1) if _CIRCLED.match(text) else text
    spelled = _spelled(one_notation(folded(bare)))
    bare = _spelled(without_figures(_PRINTED.sub(r"\2", spelled) if "[/" in spelled else spelled))
    for step in (_without_heads, without_origin, without_instructions, _without_points, listed):
        shorter = step(bare)
        bare = shorter if _says_something(shorter) else bare
    if _says_something(bare):
        return _trimmed(bare)
    return spelled or text.strip()


def _spelled(text: str) -> str:
    """Unicode and LaTeX in one spelling, blanks single, lines trimmed."""
    text = folded(text)
    if "\\" in text:
        text = _PAGE.sub(" ", text)
        text = _TEXT.sub(r"\1", text)
        text = _COMMAND.sub(_same_command, _SPACING.sub(" ", _DISPLAY.sub(" ", text)))
    if "$" in text or "\\" in text:
        text = _FORMULA.sub("", text.replace("$$", " "))
    return _trimmed(text)


def _same_command(found: re.Match[str]) -> str:
    same = _SPELLING.get(found[0])
    return found[0] if same is None else same if same.startswith("\\") or not same else f" {same} "


def _trimmed(text: str) -> str:
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))


def _without_heads(text: str) -> str:
    """Without enumerators, labels and points at the head, with or without markdown around them."""
    if emphasised := _EMPHASISED.match(text):
        label = emphasised["label"].strip()
        rest = emphasised["rest"]
        plain = f"{label}{'' if rest[0] in '.:)' else ' '}{rest}"
        bare = _headless(plain)
        return bare if len(plain) - len(bare) >= len(label) else text
    return _headless(text)


def _headless(text: str) -> str:
    while True:
        start = _MARKDOWN.match(text)
        place = start.end() if start else 0
        found = _HEAD.match(text, place) or _HEAD.match(text)
        if found is None or not found[0] or found.end() >= len(text):
            return text
        rest = text[found.end() :]
        closing = _CLOSING.match(rest) if "*" in text[:place] or "_" in text[:place] else None
        text = rest[closing.end() :] if closing else rest


def _without_points(text: str) -> str:
    found = _ENDS.search(text, max(0, len(text) - POINTS)) if text.endswith((")", "]", "】", ".")) else None
    return text[: found.start()] if found else text


def _says_something(text: str) -> bool:
    return any(mark.isalnum() for mark in text)
