"""Chinese numerals and short Chinese words: which number one spells, which are one word, which are told apart."""

from __future__ import annotations

import re

from tracemill.text.symbols import words_of

_DIGITS = {mark: value for value, mark in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "[一二两三四五六七八九十][零〇一二两三四五六七八九十百千]*"
_COUNTED = (
    "[个只名位人本张次种条件颗支枚棵辆岁元米克升天年月周]|厘米|千米|分米|毫米|千克|小时|分钟|平方米|平方厘米|立方米"
)
_WHOLE = re.compile(f"({_NUMERAL})({_COUNTED})?")
_AMBIGUOUS = re.compile(
    "[百千][一二两三四五六七八九]|[一二两三四五六七八九]{2,3}"
)  # 一百二 is 120, 二三 is "two or three"
_YEAR = re.compile("[一二两三四五六七八九][零〇一二三四五六七八九]{3}")
_PART = re.compile(f"(百|{_NUMERAL})分之({_NUMERAL})")
_MARKS = re.compile("[一二两三四五六七八九十百千万亿半几无零倍成折]")
_HAN = re.compile("[\u2460-\u24ff\u3007\u3400-\u9fff]")
_CIRCLED = re.compile("[\u2460-\u24ff]+")

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

SAME = {
    "是": "yes", "是的": "yes", "否": "no", "不是": "no", "对": "true", "正确": "true", "真": "true", "真命题": "true",
    "错": "false", "错误": "false", "不对": "false", "不正确": "false", "假": "false", "假命题": "false",
    "√": "true", "×": "false",
} | {
    f"{week}{day}": name
    for week in ("周", "星期", "礼拜")
    for day, name in [*zip("一二三四五六日天", [*_WEEK, _WEEK[-1]], strict=True)]
} | {
    f"{colour}色": colour for colour in "红蓝绿黄黑白"
}  # fmt: skip
_KINDS = [
    words_of(line)
    for line in (
        "甲 乙 丙 丁 戊 己 庚 辛", "东 南 西 北 东北 东南 西北 西南", "能 不能", "成立 不成立", "相等 不相等",
        "平行 相交 垂直", "增加 减少", "增大 减小", "大于 小于 等于", "奇数 偶数", "质数 合数", "红 蓝 绿 黄 黑 白",
        "锐角 直角 钝角 平角",
    )
]  # fmt: skip


def spelled_number(word: str) -> tuple[str, ...]:
    """What a word says in digits: ("12", "个"), ("3", "/", "4"), ("20", "%"); nothing where it is no numeral."""
    if part := _PART.fullmatch(word):
        bottom = part[1]
        top = _value(part[2])
        return (str(top), "%") if bottom == "百" else (str(top), "/", str(_value(bottom)))
    if _YEAR.fullmatch(word):
        return (str(_value(word)),)
    whole = _WHOLE.fullmatch(word)
    if whole is None or _AMBIGUOUS.fullmatch(whole[1]) or _AMBIGUOUS.fullmatch(whole[1][-2:]):
        return ()
    return (str(_value(whole[1])), *([whole[2]] if whole[2] else []))


def _value(numeral: str) -> int:
    total = digit = 0
    for mark in numeral:
        if mark in _TENS:
            total += (digit or 1) * _TENS[mark]
            digit = 0
        else:
            digit = 10 * digit + _DIGITS[mark]
    return total + digit


def is_han(text: str) -> bool:
    """Whether a text has Chinese characters or circled numbers."""
    return _HAN.search(text) is not None


def may_count(text: str) -> bool:
    """Whether a word has a mark that numbers are written with, so that it may say one."""
    return _MARKS.search(text) is not None


def told_apart(first: str, second: str) -> bool:
    """Whether two words are two members of one small family; other words may be two names of one thing."""
    if _CIRCLED.fullmatch(first) and _CIRCLED.fullmatch(second):
        return sorted(first) != sorted(second)
    return any(first in kind and second in kind for kind in _KINDS)
