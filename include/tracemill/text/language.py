"""Tells Chinese, English and other texts apart, and measures their length, for a whole column at once.

The rule, in order (LaTeX commands are left out first, since `\\frac` is no word):
  zh     Han characters are at least 30 % of Han characters plus words of other letters, and kana are under 10 % of Han
         (a Chinese problem with formulas, names or code in it stays Chinese; Japanese does not become so)
  other  no letters at all; or most letters are neither Latin, Han nor Greek (formulas use Greek)
  en     two words that no other language has, and one in ten of all words
  other  no such word, but one that asks for something in another language ("trouver", "hesapla")
  other  py3langid gives English less than one part in a hundred, and another language a fifth or more; of three
         words or more, English less than one in two hundred
  en     the rest: a few words that could be of any language ("Median of an array")
"""

from __future__ import annotations

import polars as pl

from tracemill.text.identified import likeliest

HAN_SHARE = 0.3
KANA_SHARE = 0.1
ENGLISH_WORDS = 2
ENGLISH_SHARE = 0.1
FOREIGN_AT_LEAST = 0.2
ENGLISH_BELOW = 0.01
WORDS_AT_LEAST = 3
HARDLY_ENGLISH = 0.005
_COMMAND = r"\\[A-Za-z]+"
_WORD = r"\p{Han}|[\p{L}\p{M}\p{N}--\p{Han}]+(?:['’-][\p{L}\p{M}\p{N}--\p{Han}]+)*"
_ENGLISH = (
    "the|what|how|that|with|this|from|each|which|these|those|their|where|when|who|why|does|did|would|should|could|"
    "you|your|its|it|was|were|been|has|into|between|than|then|such|given|find|prove|solve|compute|calculate|evaluate|"
    "determine|write|suppose|because|about|there|they|many|much|and|translate|explain"
)
# What short problems ask with; no English word is among them. N-grams of two words tell languages apart by luck alone.
_ASKING = (
    "calcul[ae]|calcule[rz]|calculați|trouve[rz]?|résou[ds]re|combien|démontre[rz]|halla|hallar|resuelve|cuánt[oa]s?|encuentra|"
    "demuestra|resolva|encontre|quant[oaei]s?|ache|risolvi|trova|calcola|dimostra|bestimmen?|berechnen?|löse|lösen|zeigen?|"
    "wieviele?|los|bereken|hoeveel|vind|bepaal|beregn|regn|løs|finn|bestem|hvor|hur|beräkna|bestäm|lös|visa|laske|ratkaise|"
    "montako|etsi|oblicz|ile|rozwiąż|znajdź|wyznacz|udowodnij|vypočítejte|vyřešte|najděte|kolik|koľko|nájdite|riješi|odredi|"
    "izračunaj|koliko|nađi|számítsd|oldd|hány|mennyi|keresd|bizonyítsd|găsiți|aflați|rezolv[ăa]ți|câte|câți|determinați|"
    "hesapla|hesaplayın|bul|bulun|bulunuz|çöz|çözün|çözünüz|kaç|kaçtır|kac|kactir|nedir|merhaba|göster|gösterin|neçə|tapın|"
    "yeching|toping|nechta|hitung|hitunglah|tentukan|berapa|berapakah|selesaikan|carilah|buktikan|tính|tìm|giải|hỏi|cho|"
    "hanapin|lutasin|ilan|tatua|tafuta|ngapi|troba|calcula|resol|demostra|ebatzi|aurkitu|lahenda|leia|leidke|raskite|"
    "apskaičiuokite|atrodi|aprēķini|gjeni|trovu|kalkulu"
)
# A byte-pair vocabulary has most English words of up to six letters and all numbers of up to three digits.
_TOKEN = r"\p{Han}|[\p{L}\p{M}--\p{Han}]{1,6}|\p{N}{1,3}|[^\s\p{L}\p{M}\p{N}]"


def language(text: pl.Expr) -> pl.Expr:
    """ "zh", "en" or "other" for each text."""
    plain = text.str.replace_all(_COMMAND, " ")
    letters = plain.str.count_matches(r"\p{L}")
    han = plain.str.count_matches(r"\p{Han}")
    kana = plain.str.count_matches(r"[\p{Hiragana}\p{Katakana}]")
    words = plain.str.count_matches(r"[\p{L}\p{M}--\p{Han}]+")
    known = plain.str.count_matches(r"[\p{Latin}\p{Han}\p{Greek}&&\p{L}]")
    english = plain.str.count_matches(rf"(?i)\b(?:{_ENGLISH})\b")
    is_chinese = (han > 0) & (han >= HAN_SHARE * (han + words)) & (kana < KANA_SHARE * han)
    is_other = (letters == 0) | (2 * known < letters) | (kana > 0) & (han > 0)
    is_english = (english >= ENGLISH_WORDS) & (english >= ENGLISH_SHARE * words)
    asking = plain.str.count_matches(rf"(?i)\b(?:{_ASKING})\b")
    is_other |= (english == 0) & (asking > 0)
    unsure = pl.when(~is_chinese & ~is_other & ~is_english).then(text)
    foreign = unsure.map_batches(_foreign, return_dtype=pl.Boolean, is_elementwise=True).fill_null(False)
    return pl.when(is_chinese).then(pl.lit("zh")).when(is_other | foreign).then(pl.lit("other")).otherwise(pl.lit("en"))


def _foreign(texts: pl.Series) -> pl.Series:
    """Which texts are hardly English and likely something else; null stays null."""
    found = [None if text is None else likeliest(text) for text in texts]
    counts = texts.str.count_matches(r"\p{L}{2,}").to_list()
    told = [None if one is None else _is_foreign(one[1], one[2], many) for one, many in zip(found, counts, strict=True)]
    return pl.Series(texts.name, told, pl.Boolean)


def _is_foreign(best: float, english: float, many: int) -> bool:
    evident = best >= FOREIGN_AT_LEAST and english < ENGLISH_BELOW
    return evident or (many >= WORDS_AT_LEAST and english < HARDLY_ENGLISH)


def words(text: pl.Expr) -> pl.Expr:
    """Words of each text: runs of letters and digits, where each Han character is a word."""
    return text.str.count_matches(_WORD).cast(pl.Int32)


def tokens(text: pl.Expr) -> pl.Expr:
    """An estimate of the tokens of each text, without a vocabulary: Han characters, up to six letters, up to three
    digits, and every other visible character count one.
    """
    return text.str.count_matches(_TOKEN).cast(pl.Int32)
