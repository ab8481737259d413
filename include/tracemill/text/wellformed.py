"""Finds queries that are no good to ask: cut off, about a link or a table, or in odd characters. A column at once.

DeepDistill (arXiv 2504.17565, section 2.2) and arXiv 2505.14464, section 2.1, name these filters without numbers or
definitions; ours are below.
"""

from __future__ import annotations

import polars as pl

URL = r"(?i)\b(?:https?|ftp)://[^\s/$.?#][^\s]*|\bwww\.[a-z0-9-]+\.[a-z]{2,}"
# A Markdown rule under a table's head, a LaTeX or HTML table, or three lines in a row with two tabs each.
TABLE = (
    r"(?m)^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)+\|?[ \t]*$"
    r"|\\begin\{(?:tabular|longtable|table)[*x]?\}|(?i:<table[\s>])"
    r"|(?:^[^\t\n]*\t[^\t\n]*\t[^\n]*\n){2}[^\t\n]*\t[^\t\n]*\t"
)
# A last word or mark that must be followed by something.
_DANGLING = r"(?i)(?:[,;:，、：；(\[{（]|\s(?:and|or|the|an|of|to|with|by|from|if)|[和或])\s*$"
_TRAILS_OFF = r"(?:^|\n)[^\n*\-\d#][^\n]*(?:\.{3}|…)\s*$"  # not in a list, whose last item may stand for more
_PRICE = r"\$\s?\.?\d|\d\s?\$"


def incomplete(text: pl.Expr) -> pl.Expr:
    """Ends in the middle: after a comma, colon, opening bracket or joining word, in an ellipsis, inside a formula
    (an odd number of $, none of which can be a price) or inside a fenced block.
    """
    dollars = text.str.replace_all(r"\\\$", "").str.count_matches(r"\$")
    open_formula = (dollars % 2 == 1) & ~text.str.contains(_PRICE)
    open_block = text.str.count_matches(r"(?m)^[ \t]*```") % 2 == 1
    return text.str.contains(_DANGLING) | text.str.contains(_TRAILS_OFF) | open_formula | open_block


def unusual_share(text: pl.Expr, scripts: tuple[str, ...]) -> pl.Expr:
    """The share of visible characters that are neither ASCII, nor letters of `scripts`, nor marks, digits, punctuation
    or mathematical symbols of any kind. Chinese text has none when "Han" is among the scripts.
    """
    letters = "".join(rf"\p{{{script}}}" for script in scripts)
    usual = rf"[\x21-\x7E{letters}\p{{M}}\p{{N}}\p{{P}}\p{{Sm}}\p{{Sc}}°′″←-⇿]"
    visible = text.str.count_matches(r"\S").cast(pl.Float64)
    return (1.0 - text.str.count_matches(usual) / visible).fill_nan(0.0).clip(0.0, 1.0)
