"""Whether a program may behave differently from run to run, so that one control run could be passed by luck.

A program that draws lots, and cheats only then, may cheat in the real run and not in the control runs. A program of
plain computation has nothing to draw lots from: it imports nothing but pure modules and names nothing that leads out of
them. Every other one is run several times; being asked again costs an honest program nothing but time.
"""

import ast

REAL_RUNS = 5  # of a program that may draw lots; with 8 control runs one in 5,000 of the luckiest passes
CONTROL_RUNS = 8

_PURE = frozenset(
    (
        *("math", "cmath", "itertools", "functools", "collections", "heapq", "bisect", "operator", "string", "re"),
        *("typing", "typing_extensions", "copy", "dataclasses", "enum", "abc", "fractions", "decimal", "numbers"),
        *("statistics", "textwrap", "array", "__future__", "json", "calendar", "types"),
    )
)
_LEADS_OUT = frozenset(
    (
        *("random", "secrets", "uuid", "time", "datetime", "os", "sys", "io", "threading", "_thread", "builtins", "gc"),
        *("importlib", "inspect", "ctypes", "socket", "weakref", "subprocess", "tempfile", "pathlib", "signal", "mmap"),
        *("select", "resource", "traceback", "asyncio", "multiprocessing", "concurrent", "contextlib", "warnings"),
        *("eval", "exec", "compile", "open", "input", "getattr", "setattr", "delattr", "vars", "globals", "locals"),
        *("id", "hash", "dir", "breakpoint", "memoryview", "help", "modules", "environ", "urandom", "today", "now"),
        *("f_back", "f_locals", "f_globals", "tb_frame", "gi_frame", "cr_frame", "co_consts"),
    )
)
_PLAIN_DUNDERS = frozenset(
    (
        *("__name__", "__init__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__repr__"),
        *("__str__", "__len__", "__iter__", "__next__", "__contains__", "__getitem__", "__setitem__", "__delitem__"),
        *("__add__", "__sub__", "__mul__", "__truediv__", "__floordiv__", "__mod__", "__pow__", "__neg__", "__abs__"),
        *("__radd__", "__rsub__", "__rmul__", "__iadd__", "__call__", "__bool__", "__int__", "__float__", "__index__"),
        *(
            "__post_init__",
            "__slots__",
            "__enter__",
            "__exit__",
            "__reversed__",
            "__missing__",
            "__invert__",
            "__xor__",
        ),
        *("__and__", "__or__", "__all__", "__matmul__", "__round__", "__lshift__", "__rshift__", "__format__"),
    )
)


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
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_strange(node.value.strip())


def _is_strange(name: str) -> bool:
    return name in _LEADS_OUT or (name.startswith("__") and name.endswith("__") and name not in _PLAIN_DUNDERS)
