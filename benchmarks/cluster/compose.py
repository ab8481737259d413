"""Reads docker-compose.yaml as Compose does, as far as it is used here, and says how `docker create` is called."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
FILE = PROJECT / "docker-compose.yaml"
_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:?[-?])([^}]*))?\})")


def filled(value: Any, environment: Mapping[str, str]) -> Any:
    """The value with ${NAME}, ${NAME:-default} and ${NAME:?why} filled in. Raises KeyError for what must be set."""
    if isinstance(value, dict):
        return {key: filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, environment) for item in value]
    if not isinstance(value, str):
        return value

    def one(match: re.Match[str]) -> str:
        name, how, word = match.groups()
        if name is None:
            return "$"
        found = environment.get(name, "")
        if not found and how in ("?", ":?"):
            raise KeyError(f"{name}: {word}")
        return found or (word if how in ("-", ":-") else "")

    return _VARIABLE.sub(one, value)


def services(environment: Mapping[str, str]) -> dict[str, Service]:
    """Every service of the file, with this environment filled in."""
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
    return {name: Service(name, filled(settings, environment)) for name, settings in found.items()}


def networks() -> dict[str, bool]:
    """The file's networks: whether each is internal."""
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))["networks"]
    return {name: bool((settings or {}).get("internal")) for name, settings in found.items()}


@dataclass(frozen=True)
class Service:
    """One service, as the file has it."""

    name: str
    settings: Mapping[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """Its environment."""
        return {key: str(value) for key, value in self.settings.get("environment", {}).items()}

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that it serves, if it is a worker."""
        words = self.words("command")
        return tuple(words[words.index("--queues") + 1].split(",")) if "--queues" in words else ()

    def words(self, key: str) -> list[str]:
        """`command` or `entrypoint` as a list."""
        value = self.settings.get(key) or []
        return shlex.split(value) if isinstance(value, str) else [str(word) for word in value]

    def options(self, project: str) -> list[str]:
        """What `docker create` is given, but for networks, image and command. Named volumes are the project's own."""
        limits = self.settings.get("deploy", {}).get("resources", {}).get("limits", {})
        options = [
            *("--name", f"{project}-{self.name}"),
            *_each("--env", (f"{key}={value}" for key, value in self.environment.items())),
            *_each("--volume", (_volume(text, project) for text in self.settings.get("volumes", ()))),
            *_each("--security-opt", self.settings.get("security_opt", ())),
            *_each("--cap-drop", self.settings.get("cap_drop", ())),
            *_each("--publish", self.settings.get("ports", ())),
            *(("--cpus", str(limits["cpus"])) if float(limits.get("cpus", 0)) else ()),
            *(("--memory", str(limits["memory"])) if "memory" in limits else ()),
            *(("--user", str(self.settings["user"])) if "user" in self.settings else ()),
        ]
        return options + self._health()

    def _health(self) -> list[str]:
        check = self.settings.get("healthcheck")
        if not check:
            return []
        assert check["test"][0] == "CMD"
        times = [f"--health-{key.replace('_', '-')}={check[key]}" for key in check if key != "test"]
        return ["--health-cmd", shlex.join(check["test"][1:]), *times]


def _each(option: str, values: Any) -> list[str]:
    return [word for value in values for word in (option, str(value))]


def _volume(text: str, project: str) -> str:
    """Named volumes are the project's own; a path starts at the file's folder."""
    place, *rest = text.split(":")
    if place.startswith((".", "/")):
        return ":".join([str((PROJECT / place).resolve()), *rest])
    return ":".join([f"{project}-{place}", *rest])
