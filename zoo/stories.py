"""Word problems in English and Chinese: one sentence for each step, the level is the number of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from zoo.problem import Language, Problem, settle
from zoo.scratchpad import Pad

_NAMES: dict[Language, tuple[str, ...]] = {
    "en": ("Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Jack", "Emma", "Leo", "Nora"),
    "zh": ("小明", "小红", "小华", "小丽", "小刚", "小芳"),
}
_THINGS: dict[Language, tuple[str, ...]] = {
    "en": ("apples", "books", "coins", "stamps", "marbles", "pencils", "cards", "shells", "cookies", "stickers"),
    "zh": ("个苹果", "本书", "支铅笔", "张邮票", "颗糖", "个气球"),
}


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One event: its wording in both languages, the numbers it needs, and what it does to the amount."""

    wording: dict[Language, tuple[str, ...]]
    numbers: Callable[[Random, int], tuple[int, ...] | None]
    effect: Callable[[Pad, int, tuple[int, ...]], int]


def _gain(rng: Random, _: int) -> tuple[int, ...]:
    return (rng.randint(3, 60),)


def _loss(rng: Random, amount: int) -> tuple[int, ...] | None:
    return (rng.randint(2, min(amount - 1, 90)),) if amount > 3 else None


def _bags(rng: Random, _: int) -> tuple[int, ...]:
    return rng.randint(2, 9), rng.randint(3, 12)


def _factor(rng: Random, amount: int) -> tuple[int, ...] | None:
    return (rng.randint(2, 4),) if amount < 100 else None


def _share(rng: Random, amount: int) -> tuple[int, ...] | None:
    divisors = [d for d in range(2, 10) if amount % d == 0 and amount > d]
    return (rng.choice(divisors),) if divisors and amount < 200 else None


_SENTENCES = (
    _Sentence(
        {
            "en": ("{who} buys {0} more.", "Then {who} finds {0} more.", "A friend gives {who} {0} {what}."),
            "zh": ("{who}又买了{0}{what}。", "朋友送给{who}{0}{what}。"),
        },
        _gain,
        lambda pad, amount, n: pad.add(amount, n[0]),
    ),
    _Sentence(
        {
            "en": ("{who} gives away {0}.", "{who} loses {0} of them.", "Then {who} sells {0} {what}."),
            "zh": ("{who}送出{0}{what}。", "{who}弄丢了{0}{what}。"),
        },
        _loss,
        lambda pad, amount, n: pad.subtract(amount, n[0]),
    ),
    _Sentence(
        {
            "en": ("{who} buys {0} bags with {1} {what} each.", "Then {who} gets {0} boxes of {1} {what}."),
            "zh": ("{who}买了{0}袋, 每袋{1}{what}。",),
        },
        _bags,
        lambda pad, amount, n: pad.add(amount, pad.multiply(n[0], n[1])),
    ),
    _Sentence(
        {
            "en": ("After a week {who} has {0} times as many.",),
            "zh": ("一周后, {who}的数量变成原来的{0}倍。",),
        },
        _factor,
        lambda pad, amount, n: pad.multiply(amount, n[0]),
    ),
    _Sentence(
        {
            "en": ("{who} shares them equally among {0} friends and keeps one share.",),
            "zh": ("{who}把它们平均分成{0}份, 留下一份。",),
        },
        _share,
        lambda pad, amount, n: pad.divide(amount, n[0]),
    ),
)
_START: dict[Language, str] = {"en": "{who} has {0} {what}.", "zh": "{who}有{0}{what}。"}
_ASK: dict[Language, tuple[str, ...]] = {
    "en": ("How many {what} does {who} have now?", "How many {what} are left with {who}?"),
    "zh": ("{who}现在有多少{what}?", "请问{who}最后有多少{what}?"),
}


def story(rng: Random, level: int, language: Language) -> Problem:
    """A word problem of `level` events about one person and one kind of thing, with a whole positive answer."""
    who, what = rng.choice(_NAMES[language]), rng.choice(_THINGS[language])
    amount = rng.randint(5, 30 + 15 * level)
    lines = [_START[language].format(amount, who=who, what=what)]
    pad = Pad()
    for _ in range(level):
        usable = [(s, numbers) for s in _SENTENCES[: 2 if level == 1 else 5] if (numbers := s.numbers(rng, amount))]
        sentence, numbers = rng.choice(usable)
        lines.append(rng.choice(sentence.wording[language]).format(*numbers, who=who, what=what))
        amount = sentence.effect(pad, amount, numbers)
    lines.append(rng.choice(_ASK[language]).format(who=who, what=what))
    prompt = ("" if language == "zh" else " ").join(lines)
    return settle("story", level, language, prompt, pad.working, pad.results, amount)
