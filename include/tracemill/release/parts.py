"""Which file of a release a row goes to: by where its response comes from, and a random sample of a file beside it."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tracemill.engine.objects import store_io

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME)]


class Sample(BaseModel):
    """A file of its own with `rows` random rows of the file `of`: those of the smallest digest of their id."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    of: Name
    rows: Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Parts:
    """`file` takes the rows of every response source that no other file of `apart` names."""

    file: str
    apart: dict[str, tuple[str, ...]] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)

    def file_of(self, response_source: str) -> str:
        """The file that rows of that response source go to."""
        return next((name for name, sources in self.apart.items() if response_source in sources), self.file)


@dataclass
class Sampled:
    """Keeps the lines of a sample while rows pass by; no more of them than it has rows are ever held."""

    sample: Sample
    _held: list[tuple[int, str, bytes]] = field(default_factory=list)

    def offer(self, identity: str, line: bytes) -> None:
        """Show one row of the sampled file."""
        key = -int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
        if len(self._held) < self.sample.rows:
            heapq.heappush(self._held, (key, identity, line))
        elif key > self._held[0][0]:
            heapq.heapreplace(self._held, (key, identity, line))

    def write(self, path: Path) -> int:
        """Write the sample as JSON lines; returns how many."""
        with store_io("cannot write the release's scratch files"):
            path.write_bytes(b"".join(line for _, _, line in sorted(self._held, reverse=True)))
        return len(self._held)
