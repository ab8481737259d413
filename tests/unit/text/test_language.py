"""Language and length of a prompt."""

from __future__ import annotations

import polars as pl
import pytest

from tracemill.text.language import language, tokens, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("How many apples are left?", "en", id="English"),
        pytest.param("Compute $\\frac{3}{4} + \\alpha$.", "en", id="formula with a Greek letter"),
        pytest.param("A die is rolled. If the die shows 3, what is the sum?", "en", id="'die' is an English word too"),
        pytest.param("解方程$12x-3=4$，求$x$的值。", "zh", id="Chinese with a formula"),
        pytest.param("求 $\\frac{\\sqrt{3}}{2}$ 的平方。", "zh", id="LaTeX commands are no words"),
        pytest.param("用Python写一个函数 count_words(text)，返回每个单词出现的次数。", "zh", id="Chinese with code"),
        pytest.param("Translate 你好 into English, please, and say why.", "en", id="English about Chinese"),
        pytest.param("りんごはいくつありますか。全部で何個", "other", id="Japanese has Han characters too"),
        pytest.param("Сколько яблок осталось?", "other", id="Russian"),
        pytest.param("Combien de pommes avons-nous dans le panier?", "other", id="French"),
        pytest.param("Wie viele Äpfel sind in der Kiste, wenn die Hälfte fehlt?", "other", id="German"),
        pytest.param("3 + 4 = ?", "other", id="no letters"),
        pytest.param("", "other", id="empty"),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert pl.select(language(pl.lit(text))).item() == expected


@pytest.mark.parametrize(
    ("text", "expected_words", "expected_tokens"),
    [
        pytest.param("How many apples?", 3, 4, id="words and a mark"),
        pytest.param("don't re-enter 12345", 3, 8, id="apostrophe and hyphen join; digits go by three"),
        pytest.param("苹果有3个", 5, 5, id="a Han character is a word"),
        pytest.param("  \n", 0, 0, id="blank"),
        pytest.param("internationalisation", 1, 4, id="six letters a token"),
    ],
)
def test_lengths(text: str, expected_words: int, expected_tokens: int) -> None:
    assert pl.select(words(pl.lit(text))).item() == expected_words
    assert pl.select(tokens(pl.lit(text))).item() == expected_tokens
