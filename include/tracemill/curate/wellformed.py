"""Finds queries that are no good to ask: cut off, about a link or a table, or in odd characters. A column at once.

DeepDistill (arXiv 2504.17565, section 2.2) and arXiv 2505.14464, section 2.1, name these filters without numbers or
definitions; ours are below. A query counts as broken only where nothing else explains its end.
"""

from __future__ import annotations

import polars as pl

from tracemill.text.language import words

URL = r"(?i)\b(?:https?|ftp)://[^\s/$.?#][^\s]*|\bwww\.[a-z0-9-]+\.[a-z]{2,}"
# A Markdown rule under a table's head, a LaTeX or HTML table, or three lines in a row with two tabs each.
TABLE = (
    r"(?m)^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)+\|?[ \t]*$"
    r"|\\begin\{(?:tabular|longtable|table)[*x]?\}|(?i:<table[\s>])"
    r"|(?:^[^\t\n]*\t[^\t\n]*\t[^\n]*\n){2}[^\t\n]*\t[^\t\n]*\t"
)
SUBSTANCE = 25  # words beside a link from which on a text can stand without what it links to
_NAMED_LINK = r"\[[^\]\n]*\]\([^)\n]*\)|\\href\{[^}\n]*\}\{[^}\n]*\}|\([^()\n]*https?://[^()\n]*\)"
_IMAGE_LINK = r"!\[[^\]\n]*\]\(\s*https?://|(?i:<img\s)|\\includegraphics"
_ABOUT_A_LINK = (
    r"(?i)(?:summar|tl;?dr|translat|analy[sz]|review|articles?|pages?|websites?|videos?|posts?|images?|pictures?|"
    r"visit|open|read|watch|click|download|fetch|according to|based on|look at|links?|urls?|data from|scrape|crawl|"
    r"链接|网址|网站|网页|文章|视频|图片|总结|翻译)[^\n]{0,80}?(?:(?:https?|ftp)://|www\.)"
)

_MARK = r"(?:[,，、：；(\[（]|:)\s*$"
_WORD = r"(?i)\s(?:and|or|the|an)\s*$"
_PREPOSITION = r"(?i)\s(?:of|to|with|by|from|if)\s*$"
_QUESTION = (  # "Where is he from": a question may end in its preposition
    r"(?i)(?:^|[.!?\n,;:]\s*|\b(?:and|so|but|tell me|know|guess)\s+)"
    r"(?:who|whom|what|which|where|how|whose|is|are|was|were|do|does|did|can|could|should|will|would)\b[^.!?\n]*$"
)
_OPERATORS = (
    r"(?i)\b(?:logical|bitwise|boolean|bit-wise|operators?|gates?|xor|not|nand|keywords?|words?)"
    r"\s+(?:\w+\s+)?(?:and|or)\s*$"
)
_CHINESE = r"(?:或者?|以及|并且|而且|因为|如果|由于|设|若)\s*$"
_TRAILS_OFF = r"(?:[,，、(\[（]|\s(?:and|or|the|a|an|of|to|with|by|from|if|is|are|that))\s*(?:\.{3,}|…+)\s*$"
_TERMS = r"(?:[\d}\])$]|\b[a-zA-Z]|\\[a-z]+)\s*(?:,|\+|-|\\cdot|\\times|<|>|=|\\ldots,|\\dots,)?\s*(?:\.{3,}|…+)\s*$"
_TRUNCATED = r"(?i)[\[(<](?:\.{3}|…|truncated|cut off|cont(?:inued|'d)?\.?)[\])>]\s*$"
# The end is for the model to write on: a story, a gap, a form to fill in.
_TO_GO_ON = (
    r"(?i)\b(?:continue|continuation|complete|completion|finish|fill|begin|begins|beginning|start|starts|starting|"
    r"opening|next|go on|write|end with|ends with|comes? after)\b|续写|接着|补全|填空|完成|继续|开头|续"
)
_CONTINUES = r"(?i)\b(?:continue|complete|finish|fill in)\b|续写|接着写|补全|填空"
# A last line that is a label, after which the answer is to stand.
_LABEL = (
    r"(?i)\n[\s>*#_]*(?:(?:the|your|my|final|correct|an?|model|system|user|q|no\.?)\s+)?"
    r"(?:answers?|solutions?|outputs?|responses?|results?|translations?|summary|conclusion|explanation|code|assistant|"
    r"reply|label|class|category|sentiment|choice|completion|program|proof|hypothesis|title|story|keywords?|"
    r"english|french|german|spanish|chinese|italian|russian|japanese|a|ai|bot|gpt|解答?|答案?|输出|回答|译文|翻译|结果)"
    r"(?:\s*\([^()\n]*\))?[\s*_]*[:：][\s*_]*$"
)
# A last line that is code to be filled in: a header that opens a block.
_HEADER = (
    r"(?:^|\n)[ \t]*(?:(?:async\s+)?def|class|if|elif|else|for|while|try|except|finally|with|match|case|switch|default|"
    r"public|private|protected|static|func|fn|function|struct|impl|interface|enum|trait|namespace|begin)\b[^\n]*[:{(]\s*$"
    r"|(?:^|\n)[^\n]*\)[^\n()]{0,60}\{\s*$|(?:^|\n)[^\n]*=>\s*[{(]\s*$"
    r"|\n[ \t]*[\w<>\[\],*&:]+(?: [\w<>\[\],*&:]+){0,3}\s*\{\s*$"
)
_FACE = r"(?:^|\s)[:;=]['-]?[(\[]\s*$"
_PROSE_SEMICOLON = r"(?:^|\n)[^\n(){}=\[\]<>]*[a-z]{2,} [a-z]{2,} [a-z]{2,};\s*$"

_CODE = r"(?s)```.*?```|~~~.*?~~~|`[^`\n]*`"
_CODE_LINE = (
    r"(?m)^[^\n]*(?:\$\w+\s*(?:->|=[^=\s]|\[|;)|\$[({_@?#!*]|\bfunction\b|^\s*(?:export|echo|sudo|curl)\b)[^\n]*$"
)
_MONEY = (
    r"(?i)\$\s?\.?\d|\d\s?\$|\b(?:US|HK|NT|CA|AU|NZ|SG|R|A|C|S)\$|[\"'“‘(]\$+[\"'”’)]"
    r"|\$+\s+(?:signs?|symbols?|character)"
)
# What follows the last dollar, when it is a formula that never ends: a relation, a power, a command.
_FORMULA = r"\$\s*(?:\\[a-zA-Z]+|[a-zA-Z0-9]\b(?:'|\(|\s*[=<>^_+*/,-]|\s*$)|[-+(|\[{]\s*[a-zA-Z0-9\\])[^$\n]*$"


def incomplete(text: pl.Expr) -> pl.Expr:
    """Ends in the middle: after a comma, colon, opening bracket or joining word, in an ellipsis after one of them,
    inside a formula or inside a fenced block. A prompt that leaves its end to the model (starter code, a label such as
    "Answer:", a story to continue) is whole.
    """
    goes_on = text.str.contains(_TO_GO_ON)
    code = text.str.contains(_HEADER) | text.str.contains(_FACE)
    mark = text.str.contains(_MARK) & ~text.str.contains(_LABEL) & ~code & ~text.str.contains(_CONTINUES)
    mark = mark | (text.str.contains(r"\{\s*$") & ~code) | text.str.contains(_PROSE_SEMICOLON)
    word = text.str.contains(_WORD) & ~text.str.contains(_OPERATORS)
    word = word | (text.str.contains(_PREPOSITION) & ~text.str.contains(_QUESTION)) | text.str.contains(_CHINESE)
    trails = text.str.contains(_TRAILS_OFF) & ~text.str.contains(_TERMS) & ~goes_on
    return mark | word | trails | text.str.contains(_TRUNCATED) | _open_formula(text) | _open_block(text)


def _open_formula(text: pl.Expr) -> pl.Expr:
    """An odd number of dollars that are neither money nor code, and a formula after the last one."""
    plain = text.str.replace_all(_CODE, " ").str.replace_all(r"\\\$", "").str.replace_all(_CODE_LINE, " ")
    odd = plain.str.count_matches(r"\$") % 2 == 1
    plain = plain.str.replace_all(r"\$\$[^$]+\$\$|\$[^$\n]+\$", " ")
    return odd & ~plain.str.contains(_MONEY) & plain.str.contains(_FORMULA)


def _open_block(text: pl.Expr) -> pl.Expr:
    """A fence that opens and never closes, with something behind it (a bare one at the end asks for the code)."""
    odd = text.str.count_matches(r"`{3,}") % 2 == 1
    return odd & ~text.str.contains(r"`{3,}[^\n`]*\s*$")


def needs_link(text: pl.Expr) -> pl.Expr:
    """Asks about what lies behind a link: it shows an image, names the link as its subject, or says little else."""
    rest = text.str.replace_all(_NAMED_LINK, " ")
    linked = text.str.contains(URL)
    little = words(text.str.replace_all(URL, " ")) < SUBSTANCE
    return linked & (text.str.contains(_IMAGE_LINK) | little | rest.str.contains(_ABOUT_A_LINK))


def unusual_share(text: pl.Expr, scripts: tuple[str, ...]) -> pl.Expr:
    """The share of visible characters that are neither ASCII, nor letters of `scripts`, nor marks, digits, punctuation
    or mathematical symbols of any kind. Chinese text has none when "Han" is among the scripts.
    """
    letters = "".join(rf"\p{{{script}}}" for script in scripts)
    usual = rf"[\x21-\x7E{letters}\p{{M}}\p{{N}}\p{{P}}\p{{Sm}}\p{{Sc}}°′″←-⇿]"
    visible = text.str.count_matches(r"\S").cast(pl.Float64)
    return (1.0 - text.str.count_matches(usual) / visible).fill_nan(0.0).clip(0.0, 1.0)
