"""What a programming language is to the sandbox: its tags, how a program is built and run, and what that needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SOURCE = "/build/{file}"
BINARY = "/build/solution"
_MIB = 1 << 20


def _no_mounts() -> list[tuple[str, str]]:
    return []


def _as_written(source: str) -> str:
    return source


@dataclass(frozen=True)
class Language:
    """One language. `name` is what rows and verdicts call it, `tags` what fences do.

    `compiler` and `runtime` are patterns of paths inside the sandbox; the first that exists is used, and none means
    that the language cannot be run there. `build` and `run` are commands: `{compiler}`, `{runtime}`, `{source}`,
    `{memory}` (MiB) and what `names` finds in the source are filled in. A language without `run` is the worker's own.
    `start_seconds`, `memory`, `tasks`: what the runtime takes for itself, added to a program's limits (CPU seconds,
    bytes, threads). `reserves`: the runtime reserves address space that it never uses, so that only resident memory
    says anything. `memory_words`: how it says that memory ran out. `mounts`: (path of the machine, path inside)
    that only this language needs. `lacking`: how its tools say that a library is not there, a pattern. `packages`:
    Debian's of its tool-chain, which docker/sandbox/Dockerfile installs.
    `cases`: its rows of the conformance table, see conformance/native.py.
    """

    name: str
    title: str
    tags: frozenset[str]
    file: str = ""
    compiler: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    names: Callable[[str], dict[str, str]] = field(default=lambda source: {})
    prepare: Callable[[str], str] = _as_written
    environment: tuple[tuple[str, str], ...] = ()
    start_seconds: float = 0.0
    memory: int = 16 * _MIB
    tasks: int = 0
    reserves: bool = False
    build_seconds: float = 20.0
    build_reserves: bool = False
    memory_words: tuple[str, ...] = ()
    lacking: str = ""
    mounts: Callable[[], list[tuple[str, str]]] = _no_mounts
    packages: tuple[str, ...] = ()
    cases: dict[str, str] = field(default_factory=dict)

    @property
    def native(self) -> bool:
        """Whether programs are processes of their own, started from a file."""
        return bool(self.run)

    def order(self, source: str) -> dict[str, Any]:
        """Return what the worker needs to know to build and run `source`."""
        names = {"file": self.file, **self.names(source)}
        path = SOURCE.format(**names)
        return {
            "title": self.title,
            "source": path,
            "tools": {"compiler": self.compiler, "runtime": self.runtime},
            "build": [_filled(part, source=path, **names) for part in self.build],
            "run": [_filled(part, source=path, **names) for part in self.run],
            "environment": dict(self.environment),
            "start": self.start_seconds,
            "memory": self.memory,
            "tasks": self.tasks,
            "reserves": self.reserves,
            "build_seconds": self.build_seconds,
            "build_reserves": self.build_reserves,
            "memory_words": self.memory_words,
        }


def _filled(part: str, **names: str) -> str:
    """Fill in what is known here; `{compiler}`, `{runtime}` and `{memory}` are known inside the sandbox only."""
    for name, value in names.items():
        part = part.replace("{" + name + "}", value)
    return part
