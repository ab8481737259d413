"""The languages that programs may be written in: one file each, found by being here."""

import pkgutil
import re
from functools import cache
from importlib import import_module

from tracemill.sandbox.languages.base import Language

__all__ = ["OTHERS", "Language", "all_languages", "by_name", "by_tag", "mounts"]

# Languages that answers are written in and that cannot be judged here; prose, data and shells are not among them.
OTHERS = frozenset(
    """
    ruby rb kotlin kt swift php perl pl csharp cs c# fsharp f# scala haskell hs lua pascal delphi julia jl
    dart typescript ts r ocaml ml erlang elixir clojure lisp scheme racket prolog fortran cobol ada d nim zig
    crystal groovy objective-c objc vb vbnet basic matlab octave coffeescript brainfuck bf assembly asm nasm
    solidity sml v vala
    """.split()  # noqa: SIM905
)


_VERSIONED = re.compile(r"(?:gnu|ms|clang)?(c\+\+|cpp|python|pypy|javascript|nodejs|java|golang|go|rust|c)(?:\d.*)?")


@cache
def all_languages() -> dict[str, Language]:
    """Return every language by name, in alphabetical order of their files."""
    found: dict[str, Language] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        language = getattr(import_module(f"{__name__}.{module}"), "LANGUAGE", None)
        if isinstance(language, Language):
            found[language.name] = language
    return found


def by_name(name: str) -> Language | None:
    """Return the language that a row names, by its name or any of its tags."""
    return all_languages().get(name) or by_tag(name.lower()) or _by_version(name)


def _by_version(name: str) -> Language | None:
    """Return the language of names such as "GNU C++17 (64)", "Python 3" or "Node.js 15.8"."""
    found = _VERSIONED.fullmatch(re.sub(r"[^a-z0-9+#]", "", name.lower()))
    return by_tag(found[1]) if found else None


def by_tag(tag: str) -> Language | None:
    """Return the language whose fences carry `tag`."""
    return next((language for language in all_languages().values() if tag in language.tags), None)


def mounts() -> list[tuple[str, str]]:
    """Return (path of the machine, path inside) of all that tool-chains need and the sandbox does not show anyway."""
    return [pair for language in all_languages().values() for pair in language.mounts()]
