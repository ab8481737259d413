r"""Writes formulas in one notation, LaTeX's: θ and \theta, 60° and 60^{\circ}, \frac34 and \frac{3}{4}, ∈ and \in.

Only what is the same sign in two prints is made equal; nothing is computed and nothing left out. Idempotent.
"""

from __future__ import annotations

import html
import re

_NAMES = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi
psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"""
_GREEK = {
    letter: f"\\{name}"
    for letter, name in zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ", re.findall(r"\w+", _NAMES), strict=True)
}
_VARIANTS = {r"\varepsilon": r"\epsilon", r"\vartheta": r"\theta", r"\varphi": r"\phi", r"\varrho": r"\rho",
             r"\overrightarrow": r"\vec", r"\varnothing": r"\emptyset", r"\land": r"\wedge", r"\lor": r"\vee",
             r"\lnot": r"\neg", r"\owns": r"\ni", r"\implies": r"\Rightarrow", r"\iff": r"\Leftrightarrow",
             r"\triangle": " triangle ", r"\angle": " angle ", r"\measuredangle": " angle "}  # fmt: skip
_SIGNS = {"∈": r"\in", "∉": r"\notin", "⊂": r"\subset", "⊆": r"\subseteq", "⊃": r"\supset", "∪": r"\cup",
          "∩": r"\cap", "∅": r"\emptyset", "±": r"\pm", "∓": r"\mp", "≈": r"\approx", "≡": r"\equiv", "≅": r"\cong",
          "⊥": r"\perp", "∥": r"\parallel", "∀": r"\forall", "∃": r"\exists", "∑": r"\sum", "∏": r"\prod",
          "∫": r"\int", "∂": r"\partial", "∇": r"\nabla", "⇒": r"\Rightarrow", "⇔": r"\Leftrightarrow",
          "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil",
          "⌉": r"\rceil", "△": "triangle", "∠": "angle", "°": r"^\circ", "∞": r"\infty", "√": r"\sqrt"}  # fmt: skip
_BEYOND = {ord(sign): f" {command} " for sign, command in _SIGNS.items()}
_LETTER = re.compile(rf"(?<![\u0370-\u03ff\u1f00-\u1fff])[{''.join(_GREEK)}](?![\u0370-\u03ff\u1f00-\u1fff])")
_VARIANT = re.compile("|".join(rf"{re.escape(one)}(?![A-Za-z])" for one in _VARIANTS))
_DEGREES = re.compile(r"\^\s*\{?\s*\\circ(?![A-Za-z])\s*\}?")
_GROUP = r"\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"
_BARE_FRACTION = re.compile(
    rf"(\\[dtc]?frac)\s*(?:(\d)\s*(\d)|(\d)\s*{_GROUP}|{_GROUP}\s*(\d)|\s([a-z])\s*([a-z])(?![a-z]))"
)
_CHOOSE = re.compile(r"\{\s*([^{}]+?)\s*\\choose\s*([^{}]+?)\s*\}")
_SET = re.compile(r"\\\{([^{}\\]*[,|:][^{}]*?)\\\}")
_TIE = re.compile(r"(?<=[\w$)])~(?=[\w$\\(])")
_BLACKBOARD = re.compile(r"\\(?:mathbb|Bbb)\s*(?:\{\s*([A-Z])\s*\}|([A-Z]))")
_CASES = (
    (re.compile(r"\\left\s*\\\{\s*\\begin\s*\{(?:array|aligned|matrix)\}\s*(?:\{[lcr| ]*\})?"), r"\\begin{cases}"),
    (re.compile(r"\\end\s*\{(?:array|aligned|matrix)\}\s*\\right\s*\."), r"\\end{cases}"),
)
_DOTS = re.compile(r"\\[lc]?dots[cbmio]?(?![A-Za-z])")
_FUNCTION = re.compile(
    r"(?<![\\A-Za-z_])(arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|csc|ln|gcd)"
    r"(?![A-Za-z])(?=\s*\^?\s*\{?-?\d*\}?\s*(?:[(\\\d{]|[b-zA-HJ-Z](?![A-Za-z])))"
)
_LOGARITHM = re.compile(r"(?<![\\A-Za-z])log(?=\s*_)")
_TIMES = re.compile(r"(?<![\w.])([1-9]\d*)x([1-9]\d*)(?![\w.])")  # a 3x4 grid; 0x10 is a number
_FUNCTIONS = ("sin", "cos", "tan", "cot", "csc", "ln", "gcd")
_ENTITY = re.compile(r"&(?:lt|gt|le|ge|amp|nbsp|quot|times|minus|#\d{2,5});")
_RAISED = re.compile(r"<(sup|sub)>([^<>]{1,30})</\1>", re.I)
_BREAK = re.compile(r"<(?:br|/?p|/?problem|/?question|/?div)\s*/?>", re.I)
# Arrow's regular expressions (RE2): rows that another notation may change, beside those with a mark beyond ASCII.
MAY_BE = r"\\|</?[a-zA-Z]|&[a-z#]+\d*;|\{,\}|\d+x\d|log\s*_|(?:sin|cos|tan|cot|csc|ln|gcd)\b"


def one_notation(text: str) -> str:
    """The text with its formulas in one notation, its folds (see folding.py) made before."""
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), text)
    if "<" in text:
        text = _RAISED.sub(lambda found: f"{'^' if found[1].lower() == 'sup' else '_'}{{{found[2]}}}", text)
        text = _BREAK.sub("\n", text)
    if not text.isascii():
        text = _LETTER.sub(lambda found: f" {_GREEK[found[0]]} ", text).translate(_BEYOND)
    if "\\" in text or "{,}" in text:
        text = _commands(text)
    text = _TIMES.sub(r"\1 * \2", text) if "x" in text else text
    text = _LOGARITHM.sub(r"\\log", text) if "log" in text else text
    return _FUNCTION.sub(r"\\\1", text) if any(map(text.__contains__, _FUNCTIONS)) else text


def _commands(text: str) -> str:
    text = _TIE.sub(" ", text.replace("{,}", ","))
    text = _BLACKBOARD.sub(lambda found: f" {found[1] or found[2]} ", text)
    text = _VARIANT.sub(lambda found: _VARIANTS[found[0]], text)
    text = _DEGREES.sub(r"^\\circ ", text)
    for _ in range(3):  # fractions stand in fractions
        text = _BARE_FRACTION.sub(_braced, text)
    text = _SET.sub(r"{\1}", _CHOOSE.sub(r"\\binom{\1}{\2}", text))
    for pattern, instead in _CASES:
        text = pattern.sub(instead, text)
    return _DOTS.sub("...", text)


def _braced(found: re.Match[str]) -> str:
    above, below = (part for part in found.groups()[1:] if part is not None)
    return f"{found[1]}{{{above}}}{{{below}}}"
