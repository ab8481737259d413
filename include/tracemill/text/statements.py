"""Finds what a response states as its answer without a box: an answer line, a heading, a sentence "the answer is ...".

`clause` reads one statement: it takes off reasons and remarks, finds what "is" says, and refuses hedged and negated
ones.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tracemill.text.hedges import ends_rough

State = Literal["stated", "blank", "cut", "none", "unclear"]
LONGEST = 400  # characters of a statement


class Statement(NamedTuple):
    """What is stated; `sure` is False where another reading is possible, so that "different" would be a guess."""

    text: str
    state: State = "stated"
    sure: bool = True


NOTHING = Statement("", "none")
UNCLEAR = Statement("", "unclear")

_MARKER = re.compile(
    r"^[ \t]*####(?!#)[ \t]*"
    r"|\b(?:the[ ]+|my[ ]+|our[ ]+)?(?:final[ ]+|correct[ ]+|right[ ]+)?answers?(?:\*\*|__)?[ ]*"
    r"(?:(?:is|are|(?:would|should|must)(?:[ ]actually|[ ]instead)?[ ]be)\b(?:[ ]*[:：])?"
    r"|[:：=])(?:\*\*|__)?"
    r"|^[ \t>]*(?:\#{1,6}[ \t]*|\*\*|__)?[^\w\n]{0,3}(?:the[ ]+)?(?:final[ ]+)?(?:answer|result)"
    r"(?:\*\*|__)?[ \t]*[:：]?(?:\*\*|__)?[ \t]*$"
    r"|(?:最终|正确|本题)?的?答案(?:应)?(?:[是为选]+[:：]?|[:：])|【答案】|(?:故|应|因此|所以|本题|此题)(?:应)?选(?:择)?[:：]?"
    r"|^[ \t]*答[:：]|综上(?:所述)?[,，]?",
    re.IGNORECASE | re.MULTILINE,
)
_A_LINE = re.compile(r"A:[ \t]*(\S.*)")
_NEXT_QUESTION = re.compile(
    r"^[ \t]*(?:Question|Problem|Human|User|Instruction|Exercise|Q)[ \t]{0,3}\d{0,3}[ \t]{0,3}[:：]", re.MULTILINE
)
_SENTENCE_END = re.compile(r"(?<!\b[A-Ja-z])(?:\.|(?<![\d)}])!)(?=\s+(?:[A-Z\u4e00-\u9fff$\\]|$)|\s*$)|[。！\n]")
_NESTED = re.compile(
    r"^(?:(?:so|thus|hence|therefore),?\s+)?(?:the\s+)?(?:final\s+|correct\s+)?answer\s*(?:is|:)\s*:?\s*", re.IGNORECASE
)
_HEDGE = re.compile(
    r"\b(?:perhaps|maybe|probably|might|possibly|cannot|can't|unsure|not sure|guess|i think|i believe|i don't|i do not"
    r"|unclear|likely)\b|\?|？|可能|也许|不确定|大概是",
    re.IGNORECASE,
)
_ADVERBS = re.compile(
    r"^(?:(?:clearly|therefore|thus|simply|just|indeed|obviously|hence|then|now|also)\b[ ,]*)+", re.IGNORECASE
)
_NEGATED = re.compile(r"^(?:definitely |certainly |clearly )?not\b|\bnone of\b|^不是", re.IGNORECASE)
_DENYING = re.compile(r"(?:\b(?:not|never|cannot)|n['’]t)(?:\s+\w+ly)?$", re.IGNORECASE)
_REASON = re.compile(
    r",?\s+(?:because|since|as\s+(?:the|we|it|there|shown|required|claimed|desired|wanted|stated|expected)|rather\s+than|instead\s+of)\b.*|(?:,\s*(?:and\s+|but\s+)?|\s+(?:and|but)\s+)not\s.*"
    r"|[,，]?\s*(?:因为|而不是|不是).*|;\s+[^\d$\\]*$|\s+\((?:since|because|as|after|from|by|see|check)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_REMARK = re.compile(
    r",\s+(?!(?:and|or|if|when|for|where|unless|except|with|assuming|mod|modulo|but|otherwise|one|two|three|four|five|six|seven"
    r"|eight|nine|ten)\b)[a-z]{2,}[^\d$\\=<>]*$"
)
_COPULA = re.compile(
    r"(?:^|\s)(?:is|are|was|were|equals|be|becomes)(?:\s+(?:equal\s+to|given\s+by|exactly|simply|just|therefore|thus|then))?\s*:?\s+"
    r"|[是为]|等于|一?共有|共(?=\d)",
    re.IGNORECASE,
)
_UNSURE_BEFORE = re.compile(
    r"\b(?:perhaps|maybe|probably|possibly|not sure|unsure|guess|doubt|wonder|whether|impossible|not true|untrue)\b"
    r"|可能|也许|不确定"
    r"|(?:\b(?:wrong|incorrect|false|previous|initial|original|earlier|common|naive)|\w['’]s)\s+$",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"(?:^|[,;:]\s*|\b(?:but|and|then|only|even)\s+)(?:if|had|were|suppose|supposing|assuming|unless)\b"
    r"(?!.*\b(?:so|thus|hence|therefore)\b)|(?:如果|假如|假设|倘若|若)(?!.*(?:所以|因此|故))",
    re.IGNORECASE | re.DOTALL,
)
_VALUE_LIKE = re.compile(r"[\d$\\=]|^\W*[A-J]\W*$|[\u2460-\u2473]")
_BOLD = re.compile(r"(?<![\w)}*])\*\*([^*\n]+)\*\*(?!\w)")
_STRUCK_OUT = re.compile(r"~~[^~\n]+~~")
_TAKES_BACK = re.compile(
    r"(?:^|[.!?。！？\n])\W*(?:oops|wait|hmm+|hold on|sorry|correction|edit|actually|on second thoughts?|i mean"
    r"|scratch that|no[,.]|等等|等一下|不对|更正|错了)(?!\w)",
    re.IGNORECASE,
)
_CODE_BLOCK = re.compile(r"\A```[a-z]*\n([^`\n]+)\n```\Z")
_TRUTH = re.compile(r"^(yes|no|true|false)\s*[,;:—–-]\s+(?![^\n]*[\d$\\])\S.*", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"</?(?:answer|final_answer|solution)>", re.IGNORECASE)
_MOST_WORDS = 8  # of what "is" says
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_DISPLAY = (("$$", "$$"), (r"\[", r"\]"))


def without_next_question(text: str) -> str:
    """The text up to a question that the model went on to ask itself after its answer."""
    if not _NEXT_QUESTION.search(text):
        return text
    marker = _MARKER.search(text)
    box = text.find("\\boxed")
    begun = min([place for place in (marker.end() if marker else -1, box) if place >= 0], default=len(text))
    for match in _NEXT_QUESTION.finditer(text):
        line_before = _last_line(text[max(0, match.start() - LONGEST) : match.start()])
        if match.start() > begun or _A_LINE.fullmatch(line_before):
            return text[: match.start()]
    return text


def last_statement(text: str) -> Statement:
    """The last answer line, heading or sentence; NOTHING where there is none."""
    bare = _TAGS.sub(" ", text)
    a_line = _A_LINE.fullmatch(_last_line(bare))
    if a_line:
        return clause(a_line[1])
    markers = list(_MARKER.finditer(bare))
    for match in reversed(markers):
        said = _said(bare, match.end())
        if said.strip(" \t*_:：.`$"):
            before = _before(bare, match.start()).strip()
            doubted = _UNSURE_BEFORE.search(f"{before} ") or _SUPPOSED.search(before)
            return UNCLEAR if doubted or _is_taken_back(bare[match.end() :]) else clause(said)
    return Statement("", "cut") if markers else NOTHING


def _is_taken_back(behind: str) -> bool:
    """Whether a later sentence begins with a word that takes back what was stated."""
    later = _SENTENCE_END.split(behind.lstrip(" \t*_:：\n"), maxsplit=1)[1:]
    return bool(later) and _TAKES_BACK.search(later[0][:LONGEST]) is not None


def whole_statement(text: str) -> Statement:
    """What an answer part says that is one short line or formula; NOTHING for longer ones."""
    bare = _CODE_BLOCK.sub(r"\1", _TAGS.sub(" ", text).strip())
    for opening, ending in _DISPLAY:
        inner = bare[len(opening) : len(bare) - len(ending)]
        if bare.startswith(opening) and bare.endswith(ending) and opening not in inner:
            bare = inner.strip()
    if not bare or "\n" in bare or len(bare) > LONGEST:
        return NOTHING
    found = clause(bare)
    return found._replace(sure=False) if _WORD.search(bare) else found


def clause(said: str) -> Statement:
    """The value that one statement names."""
    text = _BOLD.sub(r"\1", _STRUCK_OUT.sub("", said).strip()).strip("*_ ").strip()
    while (nested := _NESTED.match(text)) and nested.end():
        text = text[nested.end() :].lstrip("*_ ")
    text = _first_sentence(text)
    reasonless = _REASON.sub("", text)
    if _HEDGE.search(reasonless) or _NEGATED.search(reasonless):
        return UNCLEAR
    if _VALUE_LIKE.search(reasonless):
        remarkless = _REMARK.sub("", reasonless)
        reasonless = remarkless if _VALUE_LIKE.search(remarkless) else reasonless
    value = _TRUTH.sub(r"\1", _ADVERBS.sub("", _after_copula(reasonless).strip()).strip("*").strip())
    return Statement(value) if value else UNCLEAR


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


def is_value_like(text: str) -> bool:
    """Whether a statement holds a number, a formula or a choice, so that it can stand against a box."""
    return _VALUE_LIKE.search(text) is not None


def _said(text: str, start: int) -> str:
    """The line behind a marker, or the next line that is not blank; a display formula whole."""
    rest = _BOLD.sub(r"\1", text[start : start + 4 * LONGEST])
    line = rest.lstrip(" \t*_:：")
    if line[:1] == "\n" or not line:
        line = line.lstrip().lstrip("*_")
    for opening, ending in _DISPLAY:
        if line.startswith(opening):
            end = line.find(ending, len(opening))
            return line[len(opening) : end] if end > 0 else line.split("\n", 1)[0]
    return line.split("\n", 1)[0].replace(r"\]", " ")


def _before(text: str, place: int) -> str:
    """The part of a sentence that stands before a place in it."""
    return _SENTENCE_END.split(text[max(0, place - LONGEST) : place])[-1]


def _first_sentence(text: str) -> str:
    return _SENTENCE_END.split(text, maxsplit=1)[0].strip()


def _after_copula(text: str) -> str:
    """What stands behind the last "is", where that is short; the whole text where nothing is said to be something."""
    places = [match for match in _COPULA.finditer(text) if not _in_formula(text, match.start())]
    if not places:
        return text
    if _DENYING.search(text[: places[-1].start()]):
        return ""
    value = text[places[-1].end() :]
    value = rf"\approx {value}" if value.strip() and ends_rough(text[: places[-1].start()]) else value
    return value if value.strip() and len(_WORD.findall(value)) <= _MOST_WORDS else text


def _in_formula(text: str, place: int) -> bool:
    before = text[:place].replace(r"\$", "")
    return (
        before.count("$") % 2 == 1 or before.rfind(r"\(") > before.rfind(r"\)") or before.count("{") > before.count("}")
    )
