"""Says which words of an English and of a Chinese text have no counterpart in the other, by the dictionary CC-CEDICT.

A Chinese text is cut into words so that as many as
possible have a counterpart; English words count as equal to words that share a sense with them (lexicon.synonyms).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tracemill.text.meaning.concepts import CHINESE, ENGLISH
from tracemill.text.meaning.concepts import stem as root
from tracemill.text.meanings import dictionary, meaning
from tracemill.text.symbols import words_of
from tracemill.text.wording.lexicon import synonyms
from tracemill.text.wording.stemming import stem
from tracemill.text.wording.words import Parts

LONE = 0.5  # what a character costs that has a counterpart, but stands in a word of the dictionary
LONGEST = 6  # characters of a Chinese word
_RUN = re.compile("([\u3400-\u9fff]+)\\s*(\\d+(?:\\.\\d+)?)?")
_WORD = re.compile(r"[A-Za-z]+")
_NO_MEANING = words_of(
    """to a an the of or and in on for be sb sth etc esp variant abbr surname used one s as by with at from than that is
    it its old not very also this some so such up out into"""
)
# What a text may say without the other: grammar, classifiers, and the many ways to ask for a value.
_FREE_ENGLISH = words_of(
    """from between than contain have hold there need total whole check print return written write comput explain
    describ full follow equation way into off whether each every tip giv list nam certain function program cod"""
)
_FREE_CHINESE = words_of(
    """写 列举 列出 给出 求 问 请 请问 解 解方程 解释 说明 描述 计算 函数 程序 代码 判断 返回 输出 打印 检查
    编写 多少 几 每 各 共 一共 总共 如果 所有 已知 设 若 则 为 是 有 从 到 在 与 和 之 的 了 被 把 将 对 于
    以 用 按 其 它 他 她 们 这 那 哪 哪个 哪里 什么 分别 之间 里 中 上 内 个 只 件 条 支 张 本 名 位 辆 种
    句 次 棵 块 头 台 颗 根 份 间 座 数 要 需要 可以 能 会 出 成 后 时 一 两 一个 这个 那个 得 得到 等于
    共有 现在 今年 关于 时间 问题 结果 值 满足 使得 使 任意 其中 恰好 恰 且 并 并且 或 个数 写出 作 作为 取
    处 答案 表示 记 记为 至 由 过 该 此 某 又 都 也 就 同时 使用 我 你 我们 怎么 怎样 如何 怎样才能 地 话 来
    去 吗 呢 三 二 四 五 六 七 八 九 十 一下 可能 进行 放 才 应 应该 设有 位数 人 人数 数字 比 更 列 那么 摸"""
)


@dataclass(frozen=True)
class Translated:
    """What either text says alone, the English words in the order in which the Chinese text says them, and those that

    stand right before each of its numbers.
    """

    english: tuple[str, ...]
    chinese: tuple[str, ...]
    order: tuple[frozenset[str], ...]
    before: Mapping[str, frozenset[str]]


def translated(english: Parts, chinese: str) -> Translated:
    """Set an English text, as read, against a Chinese one."""
    spoken = tuple(dict.fromkeys(word for word in english.words if len(word) > 1 and word.isalpha()))
    latin = {stem(word) for word in _WORD.findall(chinese)}
    runs = [(_cut(run[1], spoken), run[2]) for run in _RUN.finditer(chinese)]
    cut = [word for words, _ in runs for word in words]
    before = {number: _last(words) for words, number in runs if number}
    matched = frozenset[str]().union(*(words for _, words in cut))
    return Translated(
        tuple(word for word in spoken if word not in matched | latin and word not in _FREE_ENGLISH),
        tuple(word for word, words in cut if not words and word not in _FREE_CHINESE),
        tuple(words for _, words in cut if words),
        before,
    )


def _last(cut: Sequence[tuple[str, frozenset[str]]]) -> frozenset[str]:
    """What the last word that says something may stand for."""
    return next((words for word, words in reversed(cut) if words or word not in _FREE_CHINESE), frozenset())


def _cut(run: str, spoken: Sequence[str]) -> list[tuple[str, frozenset[str]]]:
    """The cut of a run of characters into words of which as many as possible have a counterpart, and as few as can be.

    A character that stands in a longer word of the dictionary is trusted less than that word.
    """
    best: list[tuple[float, list[tuple[str, frozenset[str]]]]] = [(0.0, [])]
    for end in range(1, len(run) + 1):
        ways = []
        for start in range(max(0, end - LONGEST), end):
            word = run[start:end]
            words = _counterparts(word, spoken)
            if words or word in _FREE_CHINESE or end - start == 1 or word in dictionary():
                cost = _cost(run, start, end, bool(words))
                ways.append((best[start][0] + cost + 0.01, [*best[start][1], (word, words)]))
        best.append(min(ways, key=lambda way: way[0]))
    return best[-1][1]


def _cost(run: str, start: int, end: int, matched: bool) -> float:
    if run[start:end] in _FREE_CHINESE:
        return 0.0
    if end - start > 1:
        return 0.0 if matched else LONE - 0.1
    within = any(run[place : place + 2] in dictionary() for place in (start - 1, start) if place >= 0)
    return (LONE if within else 0.0) if matched else 1.0


def _counterparts(word: str, spoken: Sequence[str]) -> frozenset[str]:
    meant = _meaning(word)
    concept = CHINESE.get(word)
    if not meant and concept is None:
        return frozenset()
    senses = synonyms()
    said = frozenset[int]().union(*(senses.get(one, frozenset()) for one in meant))
    return frozenset(
        one
        for one in spoken
        if one in meant
        or one.removesuffix("er") in meant
        or (concept is not None and concept == (ENGLISH.get(one) or ENGLISH.get(root(one))))
        or said & senses.get(one, frozenset())
    )


@lru_cache(maxsize=1 << 14)
def _meaning(word: str) -> frozenset[str]:
    """The stems of the words by which the dictionary explains it."""
    return frozenset(stem(one) for one in meaning(word) if one not in _NO_MEANING)
