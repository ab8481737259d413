"""Finds the code of figures in problems: copies of a problem have it, have a link instead, or have lost it."""

from __future__ import annotations

import re

_FIGURE = re.compile(
    "|".join(
        [
            r"\[asy\].*?(?:\[/asy\]|\Z)",
            r"\\begin\s*\{(?P<name>asy|tikzpicture|tikzcd|pspicture|figure\*?)\}.*?(?:\\end\s*\{(?P=name)\}|\Z)",
            r"```(?:asy|asymptote|tikz)\b.*?(?:```|\Z)",
            r"\\(?:tikz|usetikzlibrary)\b[^\n]*",
            r"\\includegraphics\s*(?:\[[^\]]*\])?\s*\{[^}]*\}",
            r"!\[[^\]\n]*\]\([^)\s]*\)",
            r"!\[\[[^\]\n]*\]\]",
            r"<img\b[^>]*>",
            r"<image_?\d*>",
            r"\[img\].*?\[/img\]",
            r"https?://\S+?\.(?:png|jpe?g|gif|svg|webp)(?:\?\S*)?(?=[\s)\]]|\Z)",
        ]
    ),
    re.I | re.S,
)
_HINTS = ("[asy", "\\begin", "```", "tikz", "\\includegraphics", "![", "<im", "[img", "http")
_LINK = re.compile(r"!\[|<im|\[img|\\includegraphics|http", re.I)


def without_figures(text: str) -> str:
    """The text with a blank in place of every figure."""
    return _FIGURE.sub(" ", text) if _hinted(text) else text


def figure_code(text: str) -> str:
    """The drawing code of a problem's figures without white space; links, whose addresses change, are none."""
    if not _hinted(text):
        return ""
    drawn = (found[0] for found in _FIGURE.finditer(text) if not _LINK.match(found[0]))
    return "".join("".join(code.split()) for code in drawn)


def _hinted(text: str) -> bool:
    small = text.lower()
    return any(hint in small for hint in _HINTS)
