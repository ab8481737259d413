"""A Chinese problem is told in an English one's words by a dictionary; vectors find pairs that share few units."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tracemill.decontaminate.alignment import Aligner
from tracemill.decontaminate.candidates import candidates
from tracemill.decontaminate.interpreted import interpreted
from tracemill.decontaminate.neighbours import unit_index
from tracemill.text.meaning.reading import read
from tracemill.text.meaning.units import units
from tracemill.text.tokens import tokenise

ITEMS = {
    "onions": "A cook bought 9 onions, 7 lemons and 13 carrots at the market. How many salads of one onion, one lemon "
    "and one carrot can she choose?",
    "sailor": "A sailor looks west and turns to the left by 1170 degrees. Does he look north, south, east or west now?",
    "wolves": "There are 24 wolves on an island, and each winter the population grows by 25 percent. A hunter removes "
    "6 wolves every spring. How many wolves are there after 3 years?",
    "gcd": r"What is the largest possible value of $\gcd(m+9,3m+4)$ for a positive integer $m$?",
}  # fmt: skip
SAME = {
    "onions": "一位厨师在市场买了9个洋葱、7个柠檬和13根胡萝卜。她用一个洋葱、一个柠檬和一根胡萝卜做沙拉，"
    "有多少种选法？",
    "sailor": "一名水手面朝西方，向左转了1170度。他现在面朝北、南、东还是西？",
    "wolves": "岛上有24只狼，每年冬天狼的数量增加25%，每年春天猎人捕走6只狼。3年后有多少只狼？",
    "gcd": r"设$m$为正整数，$\gcd(m+9,3m+4)$的最大可能值是多少？",
}
OTHERS = {
    "onions": "一位厨师买了9个洋葱和13根胡萝卜，每个洋葱2元，一共花了多少元？",
    "sailor": "一名水手向西航行了1170海里，用了多少天？",
    "wolves": "岛上有24只羊和6只狼，羊比狼多多少只？",
    "gcd": r"求$m+9$与$m+4$的最小公倍数，其中$m=3$。",
}
READINGS = {name: read(text) for name, text in ITEMS.items()}
ALIGNER = Aligner(list(READINGS.values()))


def score(item: str, text: str) -> float:
    """How far the text is the item, told in its words."""
    return ALIGNER.align(*interpreted(READINGS[item], read(text))).score


@pytest.mark.parametrize("item", SAME)
def test_a_story_that_only_a_dictionary_knows_is_the_item(item: str) -> None:
    assert score(item, SAME[item]) >= 0.5


@pytest.mark.parametrize("item", OTHERS)
def test_another_story_about_the_same_things_is_not(item: str) -> None:
    assert score(item, OTHERS[item]) < 0.5


def test_texts_of_one_language_stay_as_they_are() -> None:
    one, other = read(SAME["onions"]), read(SAME["sailor"])
    assert interpreted(one, other) == (one, other)
    assert interpreted(READINGS["gcd"], READINGS["onions"]) == (READINGS["gcd"], READINGS["onions"])


def test_the_chinese_one_may_be_the_item() -> None:
    item, problem = interpreted(read(SAME["onions"]), READINGS["onions"])
    assert ("word", "carrot") in item.units
    assert problem == READINGS["onions"]


def test_vectors_make_candidates_across_languages_alone() -> None:
    texts = ["猫坐在垫子上。", "A cat sits there.", "狗在跑。"]
    items = ["Of what is a mat made?", "猫为什么坐在垫子上？"]
    tokens = tuple(tokenise(pa.array(side, pa.large_string())) for side in (texts, items))
    vectors = np.eye(2, dtype=np.float32)[[0, 1, 1]], np.eye(2, dtype=np.float32)
    index = unit_index(units(tokens[1]))
    found = set(zip(*map(np.ndarray.tolist, candidates(tokens, index, vectors)), strict=True))
    assert {(0, 0), (1, 1)} <= found
    assert (2, 1) not in found  # of one language
    none = np.zeros((3, 0), np.float32), np.zeros((2, 0), np.float32)
    assert (0, 0) not in set(zip(*map(np.ndarray.tolist, candidates(tokens, index, none)), strict=True))
