r"""One spelling of an answer for everything that compares answers: references, responses, the reference court.

`normalised_answer` turns characters into the LaTeX they stand for, takes off what only styles (`\left`, `\mathbf`, `$`,
quotation marks, a heading such as "Final answer:") and marks words: every word of a `\text{}` comes out as ⟦word⟧, so
that no reader takes it for a product of letters. Nothing that carries meaning is dropped.
"""

from __future__ import annotations

import re

from tracemill.text.hedges import hedged, with_tilde
from tracemill.text.symbols import LOWERED, SPELLING, SUBSCRIPTS, SUPERSCRIPTS, words_of

_RAISED = re.compile(f"[{SUPERSCRIPTS}]+")
_SUNK = re.compile(f"[{SUBSCRIPTS}]+")
_ROOT_OF_NUMBER = re.compile(r"√\s*(\d+(?:\.\d+)?)")
_NARROW_COMMA = re.compile(r",\s*\\!\s*|\{,\}\s*(?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"(?<=\d)\{,\}(?=\d)")
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:> ]|(?:q?quad|(?:thin|med|thick)space)(?![a-zA-Z])|(?:h|v)space\*?\{[^{}]*\})|~|&nbsp;"
)
_STYLE = re.compile(
    r"\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits|boldsymbol|mathbf|mathit"
    r"|mathcal|bm|bf|it|underline|uline|boxed|fbox|pmb|ensuremath|scriptsize|large|Large|huge|color\{[^{}]*\})(?![a-zA-Z])\.?"
)
_FRACTION = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_TEXT = re.compile(
    r"\\(text(?:bf|it|rm|sf|tt|normal|up|sc)?|mbox|hbox|mathrm|mathsf|mathtt|operatorname|emph|unit|rm)\*?\s*\{((?:[^{}^]|\^\{[^{}]*\}|\^(?!\{))*)\}"
)
_ALSO_UNITS = frozenset(("min", "max", "sec"))
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]+(?:['’-][A-Za-z]+)*")
_DEGREES = re.compile(
    r"\^\s*(?:\{\s*(?:\\circ|o|\\degree)\s*\}|\\circ(?![a-zA-Z]))|\\(?:degree|textdegree)(?![a-zA-Z])"
)
_CURRENCY = re.compile(r"\\\$|[¥€£₹]|\\(?:pounds|euro|yen)(?![a-zA-Z])")
_LONE_DOLLAR = re.compile(r"\$(?=\s*\d)")
_MATH_MARKS = re.compile(r"\$|\\[()\[\]]")
_BLANK_GROUPS = re.compile(r"(?<![\d.,])\d{1,3}(?:[ ]\d{3})+(?![\d]|[ ]\d{1,2}(?!\d))")
_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)(?![A-Za-z])")
_HALF_OF_DAY = re.compile(
    r"(?<=\d)\s*⟦?(?:([ap])m|([ap])⟧?\.\s?⟦?m)⟧?\.?(?=\s*(?:[,;)\]]|\b(?:and|or|to)\b|⟦(?:and|or|to)⟧|\$|\\\)|$))",
    re.IGNORECASE,
)
_NAMED = {"\\pounds": "£", "\\euro": "€", "\\yen": "¥", "\\$": "USD"}
FUNCTIONS = words_of(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log lg exp sqrt gcd lcm max min det"
)
_HEADING = re.compile(
    r"^\W{0,3}(?:so,?\s+|thus,?\s+|hence,?\s+|therefore,?\s+)?"
    r"(?:(?:the\s+|my\s+)?(?:(?:final|correct)\s+)?(?:answer|choice|option)"
    r"(?:\s*[:=]\s*|\s+is\s*:?\s+)|(?:option|choice)\s+(?=\(?[A-J]\)?\s*[.:)]?\s*$)"
    r"|(?:故|因此|所以)?(?:本题)?(?:最终)?(?:正确)?(?:答案|选项|故选|应选)\)?\s*(?:应?[为是选]|:)?\s*:?\s*)",
    re.IGNORECASE,
)
_TICKS = dict.fromkeys("√✓✔", "√") | dict.fromkeys("×✗✘", "×")  # right and wrong, where they are the whole answer
_BOLD_I = r"\mathbf{i}"
_UNIT_VECTOR = re.compile(
    r"\\(?:hat|vec|mathbf|boldsymbol)\s*(?:\{\s*(?:\\(?:mathbf|boldsymbol|bm)\s*\{)?"
    r"\s*\\?([ijk])(?:math)?\s*\}(?:\s*\})?|([ijk])(?![a-z]))"
)
_BOLD = re.compile(r"(?<![\w)}*])\*\*([^*\n]+)\*\*(?!\w)")
_MEANINGLESS_BLANKS = re.compile(r"(?<![^\W_])\s+|\s+(?![^\W_])")
_WRAPPINGS = (("**", "**"), ("*", "*"), ("`", "`"), ("'", "'"), ('"', '"'), ("__", "__"), ("``", "''"))


def normalised_answer(text: str) -> str:
    r"""The answer in one spelling: LaTeX without style, words as ⟦word⟧, no mark around it. Linear in its length."""
    if text.strip(" $") in _TICKS:
        return f"⟦{_TICKS[text.strip(' $')]}⟧"
    spelled = _ROOT_OF_NUMBER.sub(r"\\sqrt{\1}", with_tilde(text))
    spelled = _RAISED.sub(lambda found: "^{" + found[0].translate(LOWERED) + "}", spelled)
    spelled = _SUNK.sub(lambda found: "_{" + found[0].translate(LOWERED) + "}", spelled).translate(SPELLING)
    if r"\hat" in spelled or _BOLD_I in spelled:
        spelled = _UNIT_VECTOR.sub(lambda found: rf"\hat{{{found[1] or found[2]}}}", spelled)
    spelled = _unstyled(spelled)
    for _ in range(3):
        marked = _TEXT.sub(_words, spelled)
        if marked == spelled:
            break
        spelled = marked
    spelled = _HALF_OF_DAY.sub(lambda found: f" ⟦{(found[1] or found[2]).lower()}m⟧", spelled)
    spelled = _ORDINAL.sub(r" ⟦\1⟧", spelled)
    spelled = _unmarked(_CURRENCY.sub(lambda found: f"⟦{_NAMED.get(found[0], found[0])}⟧", spelled))
    bare = _HEADING.sub("", spelled.replace("⟦", "").replace("⟧", ""), count=1)
    if len(bare) < len(spelled.replace("⟦", "").replace("⟧", "")):
        spelled = _without_heading(spelled, bare)
    return hedged(" ".join(_grouped(_unmarked(spelled)).split()))


def squeezed(text: str) -> str:
    """The text without blanks that carry no meaning: `7 1/2` keeps its own, beside which `71/2` is another number."""
    return _MEANINGLESS_BLANKS.sub("", text.strip())


def _unstyled(text: str) -> str:
    spelled = _NARROW_COMMA.sub(",", _BOLD.sub(r"\1", text)).replace(r"\!", "").replace("{:}", ":")
    spelled = _DECIMAL_COMMA.sub(".", spelled)
    spelled = _SPACING.sub(" ", spelled).replace(r"\%", "%").replace(r"\#", "#").replace(r"\&", "&").replace(r"\_", "_")
    return _FRACTION.sub(r"\\frac", _DEGREES.sub(" ⟦°⟧ ", _STYLE.sub(" ", spelled)))


def _words(found: re.Match[str]) -> str:
    """The contents of a text command: numbers as numbers, functions as functions, every other word marked."""
    content = found[2]
    if content.strip() in FUNCTIONS and (found[1] == "operatorname" or content.strip() not in _ALSO_UNITS):
        return f"\\{content.strip()} "
    if found[1] in ("mathrm", "rm") and content.strip() in ("e", "i", "d"):
        return f"{{{content.strip()}}}"
    if content.strip().lower() in ("e", "i", "pi") and found[1] == "operatorname":
        return f"{{{content.strip()}}}"
    return _WORD.sub(lambda word: f"⟦{word[0]}⟧", content)


def _unmarked(text: str) -> str:
    """Take off what surrounds an answer without being part of it, as often as something does."""
    bare = text.strip()
    if bare.replace(r"\$", "").count("$") % 2:
        bare = _LONE_DOLLAR.sub("⟦USD⟧", bare)
    bare = _MATH_MARKS.sub(" ", bare).strip()
    for _ in range(6):
        before = bare
        if bare.endswith((".", "。", ",", ";", ":")) and not bare.endswith(".."):
            bare = bare[:-1].rstrip()
        for opening, closing in _WRAPPINGS:
            inner = bare[len(opening) : len(bare) - len(closing)]
            if bare.startswith(opening) and bare.endswith(closing) and inner and opening not in inner:
                bare = inner.strip()
        if bare == before:
            break
    return bare.strip("*").strip() if bare.count("*") != 1 else bare.strip()


def _without_heading(text: str, bare: str) -> str:
    """The end of `text` that spells `bare` once its word marks are off."""
    left = len(bare.replace("⟦", "").replace("⟧", ""))
    at = len(text)
    while left and at:
        at -= 1
        left -= text[at] not in "⟦⟧"
    opened = text.rfind("⟦", 0, at)
    return ("⟦" if opened > text.rfind("⟧", 0, at) else "") + text[at:]


def _grouped(text: str) -> str:
    """Numbers whose thousands are set apart by blanks, written in one."""
    return _BLANK_GROUPS.sub(lambda found: found[0].replace(" ", ""), text)
