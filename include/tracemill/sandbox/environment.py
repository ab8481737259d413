"""What programs find around them: interpreter, packages and compilers. Another environment may give other verdicts."""

import hashlib
import json
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

from tracemill.sandbox import languages
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable

_SECONDS = 60.0


def environment_digest(settings: SandboxSettings) -> str:
    """Return a digest of the environment that programs of these settings run in; where it lies does not matter.

    Raises SandboxUnavailable when it cannot be told: no such interpreter, or no engine or image (docker).
    """
    found = _image(settings.image) if settings.kind == "docker" else _machine(settings.python)
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


@cache
def _machine(python: Path) -> list[str]:
    return [_version(python), *sorted(_packages(python)), *_tools()]


def _packages(python: Path) -> set[str]:
    """Return each installed distribution by name and version."""
    from tracemill.sandbox.backends.namespace import interpreter

    return {item.name for site in interpreter(python).site for item in Path(site).glob("*.dist-info")}


def _version(python: Path) -> str:
    if str(python) == sys.executable:
        return platform.python_version()
    try:
        command = [str(python), "-I", "-c", "import platform; print(platform.python_version())"]
        return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise SandboxUnavailable(f"the sandbox's interpreter {python} cannot be run: {error}") from None


def _tools() -> list[str]:
    """Return each compiler and runtime by name and size, which change with its version, without starting any."""
    patterns = [p for one in languages.all_languages().values() for p in (*one.compiler, *one.runtime)]
    places = {Path(place).resolve() for pattern in patterns for place in Path("/").glob(pattern.lstrip("/"))}
    return sorted(f"{place.name} {place.stat().st_size}" for place in places if place.is_file())


@cache
def _image(name: str) -> list[str]:
    import docker.errors

    import docker

    try:
        return [str(docker.from_env().images.get(name).id)]
    except docker.errors.DockerException as error:
        raise SandboxUnavailable(f"the sandbox's image {name!r} cannot be found: {error}") from None
