"""Whether a program may behave differently from run to run, so that one control run could be passed by luck.

A program that draws lots, and cheats only then, may cheat in the real run and not in the control runs. A program of
plain computation has nothing to draw lots from: it imports nothing but pure modules and names nothing that leads out of
them. Every other one is run several times; being asked again costs an honest program nothing but time.
"""

import ast
import re

REAL_RUNS = 5  # of a program that may draw lots; with 8 control runs one in 5,000 of the luckiest passes
CONTROL_RUNS = 8

_MODULES = """
math cmath itertools functools collections heapq bisect operator string re typing typing_extensions copy dataclasses
enum abc fractions decimal numbers statistics textwrap array __future__ json calendar types
"""
_NAMES = """
random secrets uuid time datetime os sys io threading _thread builtins gc importlib inspect ctypes socket weakref
subprocess tempfile pathlib signal mmap select resource traceback asyncio multiprocessing concurrent contextlib warnings
eval exec compile open input getattr setattr delattr vars globals locals id hash dir breakpoint memoryview help modules
environ urandom today now f_back f_locals f_globals tb_frame gi_frame cr_frame co_consts
"""
_METHODS = """
main name init eq ne lt le gt ge hash repr str len iter next contains getitem setitem delitem add sub mul
truediv floordiv mod pow neg abs radd rsub rmul iadd call bool int float index post_init slots enter exit
reversed missing invert xor and or all matmul round lshift rshift format
"""
_DOTTED = re.compile(r"\w+(?:\.\w+)*")
_DUNDER = re.compile(r"__\w+?__")
_PURE = frozenset(_MODULES.split())
_LEADS_OUT = frozenset(_NAMES.split())
_PLAIN_DUNDERS = frozenset(f"__{name}__" for name in _METHODS.split())


def may_draw_lots(source: str) -> bool:
    """Return whether a program is anything but plain computation, as its text shows."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(map(_leads_out, ast.walk(tree)))


def _leads_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] not in _PURE for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = [alias.name for alias in node.names]
        return (node.module or "").split(".")[0] not in _PURE or any(map(_is_strange, names))
    if isinstance(node, ast.Name):
        return _is_strange(node.id)
    if isinstance(node, ast.Attribute):
        return _is_strange(node.attr)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _names_a_way(node.value)


def _names_a_way(text: str) -> bool:
    """Whether a text may be the name, or dotted path, of an attribute that leads out."""
    dotted = _DOTTED.fullmatch(text.strip())
    return any(map(_is_strange, _DUNDER.findall(text))) or (
        bool(dotted) and any(map(_is_strange, text.strip().split(".")))
    )


def _is_strange(name: str) -> bool:
    return name in _LEADS_OUT or (name.startswith("__") and name.endswith("__") and name not in _PLAIN_DUNDERS)
