"""Whether a program replaces what others call: a function of a module, or a builtin.

Other expected values cannot show a comparison that was made loose (`np.allclose` within a third): far values still
differ. Nothing that solves a problem puts a function of its own into a module that it imported.
"""

import ast
from collections.abc import Iterator

_STREAMS = frozenset(("stdin", "stdout", "stderr", "displayhook"))  # of sys, which honest programs set
_TABLES = frozenset(("__dict__", "modules", "__builtins__"))


def replaces_functions(source: str) -> bool:
    """Return whether a program sets an attribute of an imported module, or changes a module's table of names."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    modules = set(_modules(tree))
    return any(_replaces(node, modules) for node in ast.walk(tree))


def _modules(tree: ast.Module) -> Iterator[str]:
    """Yield the names that imports of whole modules bind."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)


def _replaces(node: ast.AST, modules: set[str]) -> bool:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(_is_foreign(target, modules) for target in targets)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("setattr", "delattr"):
        return bool(node.args) and isinstance(node.args[0], ast.Name) and node.args[0].id in modules
    return False


def _is_foreign(target: ast.expr, modules: set[str]) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return any(_is_foreign(one, modules) for one in target.elts)
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        return target.value.id in modules and not (target.value.id == "sys" and target.attr in _STREAMS)
    if isinstance(target, ast.Subscript):
        table = target.value
        name = table.attr if isinstance(table, ast.Attribute) else table.id if isinstance(table, ast.Name) else ""
        return name in _TABLES
    return False
