"""Tells Chinese, English and other texts apart, and measures their length, for a whole column at once.

The rule, in order (LaTeX commands are left out first, since `\\frac` is no word):
  zh     Han characters are at least 30 % of Han characters plus words of other letters, and kana are under 10 % of Han
         (a Chinese problem with formulas, names or code in it stays Chinese; Japanese does not become so)
  other  no letters at all; or most letters are neither Latin, Han nor Greek (formulas use Greek); or at least two
         function words of another Latin-script language, and more of them than of English
  en     the rest
"""

from __future__ import annotations

import polars as pl

HAN_SHARE = 0.3
KANA_SHARE = 0.1
_COMMAND = r"\\[A-Za-z]+"
_WORD = r"\p{Han}|[\p{L}\p{M}\p{N}--\p{Han}]+(?:['’-][\p{L}\p{M}\p{N}--\p{Han}]+)*"
_ENGLISH = "the|of|and|is|are|what|how|that|with|for|find|which|this|from|have|each|if|many|you|let"
_FOREIGN = (
    "el|los|las|que|una|por|para|como|cuál|qué|del|"  # Spanish
    "le|les|est|une|dans|pour|avec|combien|quel|quelle|des|du|"  # French
    "der|die|das|und|ist|ein|eine|nicht|mit|wie|wenn|"  # German
    "il|che|di|della|sono|quanti|"  # Italian
    "os|uma|não|são|quantos|"  # Portuguese
    "het|een|van|niet|hoeveel"  # Dutch
)
# A byte-pair vocabulary has most English words of up to six letters and all numbers of up to three digits.
_TOKEN = r"\p{Han}|[\p{L}\p{M}--\p{Han}]{1,6}|\p{N}{1,3}|[^\s\p{L}\p{M}\p{N}]"


def language(text: pl.Expr) -> pl.Expr:
    """ "zh", "en" or "other" for each text."""
    plain = text.str.replace_all(_COMMAND, " ")
    letters, han = plain.str.count_matches(r"\p{L}"), plain.str.count_matches(r"\p{Han}")
    kana = plain.str.count_matches(r"[\p{Hiragana}\p{Katakana}]")
    words = plain.str.count_matches(r"[\p{L}\p{M}--\p{Han}]+")
    known = plain.str.count_matches(r"[\p{Latin}\p{Han}\p{Greek}&&\p{L}]")
    english = plain.str.count_matches(rf"(?i)\b(?:{_ENGLISH})\b")
    foreign = plain.str.count_matches(rf"(?i)\b(?:{_FOREIGN})\b")
    is_chinese = (han > 0) & (han >= HAN_SHARE * (han + words)) & (kana < KANA_SHARE * han)
    is_other = (letters == 0) | (2 * known < letters) | (kana > 0) & (han > 0) | (foreign >= 2) & (foreign > english)
    return pl.when(is_chinese).then(pl.lit("zh")).when(is_other).then(pl.lit("other")).otherwise(pl.lit("en"))


def words(text: pl.Expr) -> pl.Expr:
    """Words of each text: runs of letters and digits, where each Han character is a word."""
    return text.str.count_matches(_WORD).cast(pl.Int32)


def tokens(text: pl.Expr) -> pl.Expr:
    """An estimate of the tokens of each text, without a vocabulary: Han characters, up to six letters, up to three
    digits, and every other visible character count one.
    """
    return text.str.count_matches(_TOKEN).cast(pl.Int32)
