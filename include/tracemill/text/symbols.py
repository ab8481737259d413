"""Which characters stand for which LaTeX: the tables that `answer_text` spells answers with."""

from __future__ import annotations

import unicodedata


def words_of(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


_SUPERSCRIPT = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n", strict=True))
_SUBSCRIPT = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()", strict=True))
SUPERSCRIPTS = "".join(_SUPERSCRIPT)
SUBSCRIPTS = "".join(_SUBSCRIPT)
LOWERED = str.maketrans({**_SUPERSCRIPT, **_SUBSCRIPT})

_GREEK = {
    unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}"): rf"\{name} "
    for name in (
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "phi",
            "chi",
            "psi",
            "omega",
        ]
    )
}
_GREEK |= {"λ": r"\lambda ", "ϕ": r"\phi ", "Δ": r"\Delta ", "Ω": r"\Omega ", "Σ": r"\Sigma ", "△": r"\triangle "}
_SIGNS = {
    "×": r"\times ", "÷": r"\div ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*",
    "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ", "≦": r"\le ", "≧": r"\ge ", "≠": r"\ne ",
    "≈": r"\approx ",
    "≡": r"\equiv ", "∞": r"\infty ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∉": r"\notin ", "∅": r"\emptyset ",
    "±": r"\pm ", "∓": r"\mp ", "√": r"\sqrt ", "∛": r"\sqrt[3]", "°": r"^\circ ", "º": r"^\circ ", "→": r"\to ",
    "∀": r"\forall ", "∖": r"\setminus ", "⟨": r"\langle ", "⟩": r"\rangle ", "∥": r"\parallel ", "⊥": r"\perp ",
    "℃": r"^\circ C", "℉": r"^\circ F", "…": r"\ldots ", "⋯": r"\ldots ", "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}",
    "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "∠": r"\angle ", "∣": "|", "∶": ":", "⁄": "/",
    "∕": "/",
    "∑": r"\sum ", "∫": r"\int ", "∏": r"\prod ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ",
    "⌉": r"\rceil ",
}  # fmt: skip
_PLAIN = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "﹣": "-", "、": ",", "，": ",", "；": ";", "：": ":",
    "′": "'", "’": "'", "‘": "'", "＇": "'", "″": "''", "“": '"', "”": '"', "「": '"', "」": '"', "￥": "¥",
    "＄": "$",    "〔": "(", "〕": ")", "【": "(", "】": ")", "％": "%", "﹪": "%", "۔": ".", "㎡": "m^2", "㎥": "m^3",
    "㎝": "cm",
    "㎞": "km", "㎜": "mm", "㎏": "kg", "µ": "μ", "\u200b": "", "\u200c": "", "\u200d": "", "\ufeff": "",
    "\u2060": "", "⟦": "[", "⟧": "]",
}  # fmt: skip
_KEPT = frozenset(range(0x2460, 0x2500))  # circled numbers name choices; as digits they would run together


def _table() -> dict[int, str]:
    table = {ord(mark): spelling for part in (_GREEK, _SIGNS, _PLAIN) for mark, spelling in part.items()}
    for code in [*range(0xA0, 0x2190), *range(0x1D400, 0x1D800), *range(0xFF01, 0xFF5F), *range(0x2000, 0x2010)]:
        mark = chr(code)
        plain = unicodedata.normalize("NFKC", mark)
        if code in table or code in _KEPT or mark in SUPERSCRIPTS + SUBSCRIPTS or plain == mark:
            continue
        fraction = plain.split("\u2044")
        spelled = rf"\frac{{{fraction[0]}}}{{{fraction[1]}}}" if len(fraction) == 2 and fraction[1] else plain
        table[code] = spelled if spelled != plain else "".join(table.get(ord(one), one) for one in plain)
    return table


SPELLING = _table()
