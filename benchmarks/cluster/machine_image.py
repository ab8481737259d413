"""A base image made from this machine's own Debian packages, and the project's image built on it, without a registry.

What the production Dockerfile takes from outside (its base image, apt-get, pip) is replaced; every other line of it
runs as written. The Python environment of whoever runs this is mounted where the image has its own packages.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from benchmarks.cluster.compose import PROJECT

BASE, IMAGE = "tracemill-machine", "tracemill/airflow:0.1.0"
PACKAGES = ("tini", "redis-server", "passwd", "ca-certificates", "locales")  # PostgreSQL's carries its version
_OF_THE_MACHINE = (
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ld.so.cache",
)
_LINKS = ("/bin", "/sbin", "/lib", "/lib64")
_LIBRARY = re.compile(r"=> (/\S+)")
_FROM_OUTSIDE = re.compile(r"apt-get|pip install")


def postgres() -> Path | None:
    """The folder of PostgreSQL's programs, if Debian's package is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def missing() -> list[str]:
    """Debian packages without which the image cannot be made."""
    packages = [*PACKAGES, *([] if postgres() else ["postgresql"])]
    return [name for name in packages if name != "locales" and not _installed(name)]


def _installed(package: str) -> bool:
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True, text=True, check=False
    )
    return asked.stdout.endswith("ok installed")


def import_base(docker: list[str]) -> None:
    """Import the base image: the files of the essential packages, of PACKAGES, and of all that these depend on."""
    named = {*_files(_closure()), *_OF_THE_MACHINE, *_interpreter_libraries()}
    files = sorted({*(_real(path) for path in named if os.path.lexists(path)), *_LINKS})
    with tempfile.NamedTemporaryFile("w", suffix=".list") as listing:
        listing.write("\n".join(files))
        listing.flush()
        pack = ["tar", "--create", "--no-recursion", "--directory", "/", "--files-from", listing.name]
        with subprocess.Popen(pack, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as packing:
            subprocess.run([*docker, "import", "-", BASE], stdin=packing.stdout, check=True, capture_output=True)


def build(docker: list[str]) -> None:
    """Build docker/airflow/Dockerfile on the base image; its lines that need a registry or an index are left out."""
    text = (PROJECT / "docker/airflow/Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in _instructions(text) if not (line.startswith("RUN") and _FROM_OUTSIDE.search(line))]
    lines = [f"FROM {BASE}" if line.startswith("FROM") else line for line in lines]
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile") as file:
        file.write("\n".join(lines))
        file.flush()
        options = ["--network", "none", "--tag", IMAGE, "--file", file.name]
        command = ["env", "DOCKER_BUILDKIT=0", *docker, "build", *options, str(PROJECT)]
        subprocess.run(command, check=True, capture_output=True)
    _compile(docker)


def _compile(docker: list[str]) -> None:
    """Compile the sources in the image, as the left-out line with pip does; its user and entry point stay its own."""
    asked = subprocess.run([*docker, "image", "inspect", IMAGE], capture_output=True, text=True, check=True).stdout
    config = json.loads(asked)[0]["Config"]
    entry = f"ENTRYPOINT {json.dumps(config['Entrypoint'])}"
    words = ["--entrypoint", "python", IMAGE, "-m", "compileall", "-q", "include", "plugins"]
    for command in (
        ["run", "--name", "compiling", "--user", "root", *stand_in(), *words],
        ["commit", "--change", f"USER {config['User']}", "--change", entry, "--change", "CMD []", "compiling", IMAGE],
        ["rm", "compiling"],
    ):
        subprocess.run([*docker, *command], check=True, capture_output=True)


def stand_in() -> list[str]:
    """Options of `docker create` that put this machine's Python environment in the place of the image's own."""
    environment = Path(sys.prefix).resolve()
    folders = sorted({environment, Path(sys.base_prefix).resolve()})
    mounts = [word for folder in folders for word in ("--volume", f"{folder}:{folder}:ro")]
    path = f"{environment}/bin:/usr/local/bin:/usr/bin:/bin"
    return [*mounts, "--env", f"PATH={path}", "--env", "PYTHONPATH=/opt/tracemill/include:/opt/tracemill/plugins"]


def _real(path: str) -> str:
    """Where a file really lies: Debian's packages still name /lib and /bin, which are links."""
    place = Path(path)
    return path if path in _LINKS else str(place.parent.resolve() / place.name)


def _instructions(text: str) -> list[str]:
    """A Dockerfile's instructions, one a line, without comments."""
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [line for line in kept.replace("\\\n", " ").splitlines() if line.strip()]


def _closure() -> set[str]:
    """The essential packages, those asked for, and whatever installed package each of them depends on."""
    fields = "${Package}\t${Essential}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
    asked = subprocess.run(["dpkg-query", "-W", "-f", fields], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in asked.splitlines()]
    needs = {row[0]: _names(row[3]) for row in rows}
    provided = {name: row[0] for row in rows for name in _names(row[2])}
    bins = postgres()
    wanted = [row[0] for row in rows if row[1] == "yes"] + [
        *PACKAGES,
        *([f"postgresql-{bins.parent.name}"] if bins else []),
    ]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        name = name if name in needs else provided.get(name, name)
        if name in needs and name not in found:
            found.add(name)
            wanted += needs[name]
    return found


def _names(text: str) -> list[str]:
    """Package names in a dependency field, alternatives and all."""
    return [match for part in re.split(r"[,|]", text) for match in re.findall(r"^\s*([a-z0-9][a-z0-9+.-]+)", part)]


def _files(packages: Iterable[str]) -> set[str]:
    listed = subprocess.run(["dpkg-query", "-L", *sorted(packages)], capture_output=True, text=True, check=True).stdout
    # Without root's own folder, which nobody else may enter: the interpreter may lie there.
    lines = {line for line in listed.splitlines() if line.startswith("/")} - {"/.", "/root"}
    return {line for line in lines if not line.startswith(("/usr/share/doc", "/usr/share/man", "/usr/share/locale"))}


def _interpreter_libraries() -> set[str]:
    """The system's libraries that the interpreter and its extension modules are linked with."""
    folder = Path(sysconfig.get_path("stdlib")).resolve() / "lib-dynload"
    binaries = [str(Path(sys.executable).resolve()), *map(str, folder.glob("*.so"))]
    listing = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    found = {Path(match) for match in _LIBRARY.findall(listing)}
    return {str(place) for path in found for place in (path, path.resolve())}
