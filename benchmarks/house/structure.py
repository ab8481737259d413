"""The shape of the code: layers and cycles as import-linter counts them; lines and functions as an AST shows them."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grimp

PROJECT = Path(__file__).resolve().parents[2]
ROOTS = ("include/tracemill", "plugins/tracemill_airflow", "dags")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def figures() -> dict[str, float | int]:
    """Measure the library, the plugins and the DAG files of this checkout."""
    contracts = _contracts()
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    rooms = [[room.strip() for room in layer.replace(":", "|").split("|")] for layer in layers]
    graph = grimp.build_graph("tracemill", "tracemill_airflow", cache_dir=None)
    return {
        "layers": len(layers),
        "arrows_up": _arrows_up(graph, rooms),
        "cycles": sum(len(_cycle_breakers(graph, package)) for package in ("tracemill", "tracemill_airflow")),
        "linter_exceptions": sum(len(one.get("ignore_imports", ())) for one in contracts),
        **_of_the_text(),
    }


def _contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts: list[dict[str, Any]] = settings["contracts"]
    return contracts


def _arrows_up(graph: grimp.ImportGraph, rooms: list[list[str]]) -> int:
    """Imports from a room into one of a higher layer, or into another room of its own where those are apart."""
    place = {room: number for number, layer in enumerate(rooms) for room in layer}
    found = 0
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            ours = _room(module, place)
            theirs = _room(imported, place)
            found += ours is not None and theirs is not None and place[theirs] < place[ours]
    return found


def _room(module: str, place: dict[str, int]) -> str | None:
    parts = module.split(".")
    names = (".".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next((name for name in names if name in place), None)


def _cycle_breakers(graph: grimp.ImportGraph, package: str) -> set[tuple[str, str]]:
    """Imports between siblings, at any depth, that would have to go for there to be no cycle."""
    found = set(graph.nominate_cycle_breakers(package))
    for child in graph.find_children(package):
        found |= _cycle_breakers(graph, child)
    return found


def _of_the_text() -> dict[str, float | int]:
    trees = dict(_trees())
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in trees}
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    functions = [node for node in nodes if isinstance(node, _FUNCTIONS)]
    total = sum(lines.values()) / 1000
    judged = {path: tree for path, tree in trees.items() if "worker" not in path.parts}
    broad = sum(_is_broad(node) for tree in judged.values() for node in ast.walk(tree))
    return {
        "lines": sum(lines.values()),
        "packed_per_kloc": sum(_is_packed(node) for node in nodes) / total,
        "longest_file": max(lines.values()),
        "longest_function": max(_length(node) for node in functions if not _is_kernel(node)),
        "longest_kernel": max(_length(node) for node in functions if _is_kernel(node)),
        "unannotated": sum(node.returns is None for node in functions),
        "broad_excepts_per_kloc": broad / total,
    }


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for root in ROOTS:
        for path in sorted((PROJECT / root).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of what a function does: without its signature and its docstring, which a command's options make long."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1


def _is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether numba compiles it: one loop, which is measured, and slower in parts."""
    return any(isinstance(one, ast.Name) and one.id == "kernel" for one in function.decorator_list)


def _is_packed(node: ast.AST) -> bool:
    """Several assignments in one statement; taking one value apart is none."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
        return False
    return isinstance(node.targets[0], ast.Tuple) and len(node.targets[0].elts) == len(node.value.elts)


def _is_broad(node: ast.AST) -> bool:
    """Catches everything and raises nothing in its place."""
    if not isinstance(node, ast.ExceptHandler):
        return False
    named = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"BaseException"}
    raises = any(isinstance(inner, ast.Raise) for statement in node.body for inner in ast.walk(statement))
    return bool(named & {"Exception", "BaseException"}) and not raises
