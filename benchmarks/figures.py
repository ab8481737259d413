"""Runs every module of a package that has `figures()`, prints a table, and ends with one line of JSON.

    python -m benchmarks.rows [MODULE ...]

A module measures one thing and returns its figures by name. Figures of one name from two modules are a mistake and end
the run.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Callable, Mapping
from types import ModuleType

Figures = Mapping[str, float | int | Mapping[str, int]]


def measurers(package: ModuleType, wanted: list[str]) -> dict[str, Callable[[], Figures]]:
    """`figures` of every module of the package, or of those wanted, by the module's name."""
    names = wanted or sorted(info.name for info in pkgutil.iter_modules(package.__path__) if info.name != "__main__")
    modules = {name: importlib.import_module(f"{package.__name__}.{name}") for name in names}
    return {name: module.figures for name, module in modules.items() if hasattr(module, "figures")}


def run(package: ModuleType, most: Mapping[str, float] | None = None, least: Mapping[str, float] | None = None) -> None:
    """Measure, print, and refuse to let one figure hide another; exit status 1 where one is beyond its bound."""
    merged: dict[str, float | int | Mapping[str, int]] = {}
    for name, measure in measurers(package, sys.argv[1:]).items():
        began = time.monotonic()
        found = measure()
        twice = merged.keys() & found.keys()
        if twice:
            raise SystemExit(f"{name} measures {sorted(twice)} again: rename the figures of one module")
        merged.update(found)
        for figure, value in _single(found).items():
            print(f"{name:14} {figure:28} {value:>14,.6g}")
        print(f"{name:14} took {time.monotonic() - began:.0f} s", flush=True)
    single = _single(merged)
    beyond = [name for name, bound in (most or {}).items() if single.get(name, bound) > bound]
    beyond += [name for name, bound in (least or {}).items() if single.get(name, bound) < bound]
    for name in beyond:
        print(f"{name} is beyond its bound: {single[name]:,.6g}")
    print(json.dumps(merged))
    if beyond:
        sys.exit(1)


def _single(figures: Figures) -> dict[str, float | int]:
    """Figures that are numbers; those of a group by the names of both, as files_to_add.source."""
    found: dict[str, float | int] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{part}": number for part, number in value.items()}
        else:
            found[name] = value
    return found
