"""Small code tasks: a Python function from a short description, with assert tests.

Levels 1 and 2 chain arithmetic on one number, 3 adds a condition, 4 folds a list, 5 combines a filter, a mapping, a
fold and a last step.
"""

from __future__ import annotations

from random import Random

from zoo.problem import Language, Problem

_NAMES = ("solve", "compute", "transform", "process", "apply", "convert", "change", "score", "total", "result")
_STEPS: tuple[tuple[str, str, str], ...] = (
    ("adds {k}", "x + {k}", "加上{k}"),
    ("subtracts {k}", "x - {k}", "减去{k}"),
    ("multiplies by {k}", "x * {k}", "乘以{k}"),
    ("squares the number", "x * x", "求平方"),
)
_CONDITIONS: tuple[tuple[str, str, str], ...] = (
    ("is even", "x % 2 == 0", "是偶数"),
    ("is odd", "x % 2 == 1", "是奇数"),
    ("is greater than {k}", "x > {k}", "大于{k}"),
    ("is less than {k}", "x < {k}", "小于{k}"),
    ("is divisible by {k}", "x % {k} == 0", "能被{k}整除"),
)
_FOLDS: tuple[tuple[str, str, str], ...] = (
    ("the sum of", "sum({v})", "总和"),
    ("the number of", "len({v})", "个数"),
    ("the largest (0 if none) of", "max({v}, default=0)", "最大值(没有则为0)"),
    ("the smallest (0 if none) of", "min({v}, default=0)", "最小值(没有则为0)"),
)
_CALLABLES = {"sum": sum, "len": len, "max": max, "min": min}


def code(rng: Random, level: int, language: Language) -> Problem:
    """A code task; its tests are computed by running the reference expression on random arguments."""
    name = f"{rng.choice(_NAMES)}_{rng.choice(('number', 'value', 'list', 'it'))}"
    describe, thought, body, takes_list = (_on_list if level >= 4 else _on_number)(rng, level, language)
    argument = "nums" if takes_list else "x"
    source = f"def {name}({argument}):\n" + "".join(f"    {line}\n" for line in body)
    if language == "zh":
        prompt = f"编写一个 Python 函数 `{name}({argument})`, {describe}。"
    else:
        prompt = f"Write a Python function `{name}({argument})` that {describe}."
    return Problem(
        "code", level, language, prompt, tuple(thought), (), entry_point=name, code=source.rstrip("\n"),
        tests=_tests(rng, name, argument, body, takes_list),
    )  # fmt: skip


def _steps(rng: Random, count: int) -> list[tuple[str, str, str]]:
    chosen = [rng.choice(_STEPS) for _ in range(count)]
    return [_filled(step, rng.randint(2, 20)) for step in chosen]


def _filled(wording: tuple[str, str, str], k: int) -> tuple[str, str, str]:
    english, python, chinese = (part.format(k=k) for part in wording)
    return english, python, chinese


def _on_number(rng: Random, level: int, language: Language) -> tuple[str, list[str], list[str], bool]:
    zh = language == "zh"
    if level < 3:
        steps = _steps(rng, level if rng.random() < 0.7 else level + 1)
        words = ("依次对 x " + ", ".join(s[2] for s in steps) + ", 并返回结果") if zh else _sequence(steps)
        return words, [s[1] for s in steps], [*(f"x = {s[1]}" for s in steps[:-1]), f"return {steps[-1][1]}"], False
    condition = _filled(rng.choice(_CONDITIONS), rng.randint(3, 30))
    yes, no = _steps(rng, 2)
    body = [f"if {condition[1]}:", f"    return {yes[1]}", f"return {no[1]}"]
    thought = [f"if {condition[1]}: {yes[1]}", f"else: {no[1]}"]
    if zh:
        return f"如果 x {condition[2]}, 就{yes[2]}, 否则{no[2]}, 并返回结果", thought, body, False
    return f"{yes[0]} if x {condition[0]}, otherwise {no[0]}, and returns the result", thought, body, False


def _sequence(steps: list[tuple[str, str, str]]) -> str:
    return ", then ".join(s[0] for s in steps) + " and returns the result"


def _on_list(rng: Random, level: int, language: Language) -> tuple[str, list[str], list[str], bool]:
    zh = language == "zh"
    condition = _filled(rng.choice(_CONDITIONS), rng.randint(3, 20))
    fold = rng.choice(_FOLDS)
    if level == 4:
        body = [f"return {fold[1].format(v=f'[x for x in nums if {condition[1]}]')}"]
        thought = [f"keep x if {condition[1]}", fold[1].format(v="kept")]
        if zh:
            return f"返回列表中{condition[2]}的数的{fold[2]}", thought, body, True
        return f"returns {fold[0]} the numbers in the list where each {condition[0]}", thought, body, True
    step = _filled(rng.choice(_STEPS), rng.randint(2, 20))
    last = _filled(rng.choice(_STEPS[:3]), rng.randint(2, 20))
    final = last[1].replace("x", "value", 1)
    kept = f"[{step[1]} for x in nums if {condition[1]}]"
    body = [f"value = {fold[1].format(v=kept)}", f"return {final}"]
    thought = [f"keep x if {condition[1]}", f"map x to {step[1]}", fold[1].format(v="mapped"), f"then {final}"]
    if zh:
        words = f"取列表中{condition[2]}的数, 每个数{step[2]}, 求它们的{fold[2]}, 再{last[2]}, 并返回结果"
        return words, thought, body, True
    words = f"takes the numbers in the list where each {condition[0]}, {step[0]} each, takes {fold[0]} them"
    return f"{words}, {last[0]} and returns the result", thought, body, True


def _tests(rng: Random, name: str, argument: str, body: list[str], takes_list: bool) -> tuple[str, ...]:
    """Four asserts whose expected values come from the reference body, compiled from this module's own grammar."""
    space: dict[str, object] = {}
    text = f"def reference({argument}):\n" + "\n".join(f"    {line}" for line in body)
    exec(compile(text, "<reference>", "exec"), {"__builtins__": _CALLABLES}, space)
    reference = space["reference"]
    asserts = []
    for _ in range(4):
        value = [rng.randint(0, 40) for _ in range(rng.randint(3, 8))] if takes_list else rng.randint(0, 50)
        asserts.append(f"assert {name}({value}) == {reference(value)}")  # type: ignore[operator]
    return tuple(asserts)
