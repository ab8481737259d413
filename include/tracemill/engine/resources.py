"""What a step may use but must not depend on: workers, progress, clients. Never part of a fingerprint."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from tracemill.engine.processors import processors
from tracemill.errors import SourceError

_log = logging.getLogger(__name__)
SHIPPED = (Path(__file__).parents[1] / "recipes").resolve()  # the recipes that come with tracemill


@dataclass(frozen=True)
class CostLimit:
    """How much money a run may cost (`most`; None: as much as it takes, unless its store says otherwise), and by what.

    `hours` are prices of a device-hour, by the names of the models that are served.
    """

    most: float | None = None
    currency: str = ""
    hours: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources:
    """The machine a step runs on. `workers`: processes it may start. `environment`: where ${NAME} in paths comes from.

    `scratch`: a folder for files on their way into the store; the runner gives each shard its own and clears it.
    `away`: seconds that a task may wait for a model server that left while it worked; None: as long as the recipe says.
    `made_with`: where a step notes facts for its manifest that decide no row (engine, weights, what was paid); the
    runner gives each shard its own.
    `tell`: says what takes long while it goes on (downloads, waits). `accept_removed`: by file, how many rows that it
    lost may go from the release.
    `transport`: a models.transport.Transport that stands in for the network (a fake model server).
    `base`: the folder of the recipe, where its relative paths start (see Recipe.located).
    `beside`: a verify task of the run gives the verdicts that a sampling policy waits for; else this process does.
    `cost`: how much money the run may cost.
    `asks`: models may be asked; else what no sample store knows raises AnswersUnknown.
    """

    workers: int = field(default_factory=processors)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    away: float | None = None
    transport: Any = None
    made_with: dict[str, Any] = field(default_factory=dict)
    tell: Callable[[str], None] = _log.info
    accept_removed: Mapping[str, int] = field(default_factory=dict)
    base: Path = SHIPPED
    beside: bool = False
    cost: CostLimit = field(default_factory=CostLimit)
    asks: bool = True

    @property
    def cache(self) -> Path:
        """The folder of what is dear to make again (TRACEMILL_CACHE); all processes of the machine share it."""
        kept = {**os.environ, **self.environment}
        default = Path(kept.get("XDG_CACHE_HOME") or Path(kept.get("HOME") or tempfile.gettempdir()) / ".cache")
        return Path(kept.get("TRACEMILL_CACHE") or default / "tracemill")

    def path(self, text: str) -> Path:
        """A recipe's path with ${NAME} filled in from the environment; relative ones start at `base`.

        Raises SourceError naming an unset variable, or the recipe's folder when that is not on this machine.
        """
        try:
            path = Path(Template(text).substitute(self.environment))
        except KeyError as error:
            name = error.args[0]
            raise SourceError(
                f"{text}: the environment variable {name} is not set; set {name} to the data folder"
            ) from None
        if not path.is_absolute() and not self.base.is_dir():
            raise SourceError(
                f"{text}: relative paths start at the recipe's folder, and there is no folder {self.base} on this "
                "machine. If it was moved, run the recipe's file from where it is now (`tracemill run FILE --root "
                "ROOT`), which the store then remembers; else write an absolute path or ${NAME}/..."
            )
        return self.base / path
