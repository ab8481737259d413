"""The demo's Chinese exercises."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from tracemill.ingest.demo.exercises import Family

CHINESE: tuple[Family, ...] = (
    Family(
        "easy",
        "一家书店上午卖出{a}本书，下午卖出{b}本书，每本书{c}元。这一天书店一共收入多少元？",
        "({a} + {b}) * {c}",
        lambda a, b, c: (a + b) * c,
    ),
    Family(
        "easy",
        "果园里有{a}行苹果树，每行{b}棵，又新种了{c}棵梨树。果园里一共有多少棵树？",
        "{a} * {b} + {c}",
        lambda a, b, c: a * b + c,
    ),
    Family("medium", "解方程${a}x - {b} = {c}$，求$x$的值。", "({b} + {c}) / {a}", lambda a, b, c: Fraction(b + c, a)),
    Family(
        "medium",
        "甲、乙两地相距{a}千米，两辆汽车同时从两地相向而行，速度分别是每小时{b}千米和{c}千米，几小时后相遇？",
        "{a} / ({b} + {c})",
        lambda a, b, c: Fraction(a, b + c),
    ),
    Family(
        "hard",
        "等差数列的首项是{a}，公差是{b}，求前{c}项的和。",
        "{c} * {a} + {b} * {c} * ({c} - 1) / 2",
        lambda a, b, c: c * a + b * c * (c - 1) // 2,
    ),
    Family(
        "medium",
        "求${a} \\times {c}$与${b} \\times {c}$的最大公约数。",
        "gcd({a}, {b}) * {c}",
        lambda a, b, c: gcd(a, b) * c,
    ),
    Family(
        "easy",
        "长方体的长、宽、高分别是{a}厘米、{b}厘米、{c}厘米，求它的体积。",
        "{a} * {b} * {c}",
        lambda a, b, c: a * b * c,
    ),
    Family(
        "medium",
        "袋子里有红球{a}个、白球{b}个、黑球{c}个，任意摸出一个球，摸到白球的概率是多少？",
        "{b} / ({a} + {b} + {c})",
        lambda a, b, c: Fraction(b, a + b + c),
    ),
)
