"""Fills the environment that runs it with what the locks name: `python tools/environment.py torch==2.13.0 LOCK... .`

uv does it where it can be had (`--with pip` leaves it out): it unpacks side by side what pip unpacks one by one. uv
itself comes from pip, pinned in constraints-uv.txt. It reads none of pip's settings, so they are handed over: who has
named an index, a folder of wheels or a certificate to pip names them once. Only the standard library is needed here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

UV_LOCK = Path(__file__).resolve().parents[1] / "constraints-uv.txt"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
_PLACES = (":env:", "install", "global")  # of a setting of pip, the one that counts first
# pip's setting → uv's variable, and what stands between several values. Not `constraint`: uv takes none beside hashes.
_NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
}


def main(arguments: Sequence[str]) -> int:
    """Install; the exit status of the first command that fails, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with", dest="installer", choices=("uv", "pip"), default="uv")
    parser.add_argument("wanted", nargs="+", help="packages, locks (*.txt), and `.` for the project itself")
    asked = parser.parse_args(arguments)
    if asked.installer == "uv":
        if uv_installed() and by_uv(asked.wanted):
            return 0
        print("uv cannot do it here: pip installs instead, which takes much longer", flush=True)
    for command in commands([*_PIP, "install", "--quiet"], asked.wanted):
        if status := subprocess.run(command, check=False).returncode:
            return status
    return 0


def by_uv(wanted: Sequence[str]) -> bool:
    """Whether uv has installed everything, by pip's settings."""
    settings = settings_of(subprocess.run([*_PIP, "config", "list"], capture_output=True, text=True).stdout)
    install = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--compile-bytecode"]
    install += ["--no-index"] if settings.get("no-index") in ("1", "true", "True") else []
    environment = {**handed_over(settings), **os.environ, "VIRTUAL_ENV": sys.prefix}
    return all(subprocess.run(one, env=environment, check=False).returncode == 0 for one in commands(install, wanted))


def uv_installed() -> bool:
    """Whether uv is there, fetched by pip if need be."""
    fetch = [*_PIP, "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(UV_LOCK)]
    return subprocess.run(fetch, check=False).returncode == 0


def settings_of(listed: str) -> dict[str, str]:
    """pip's settings by their bare names, from the lines of `pip config list`."""
    lines = [line.split("=", 1) for line in listed.splitlines() if "=" in line]
    said = {name: value.strip("'\"") for name, value in lines}
    names = {name.rpartition(".")[2] for name in said}
    every = {name: [said[f"{place}.{name}"] for place in _PLACES if f"{place}.{name}" in said] for name in names}
    return {name: values[0] for name, values in every.items() if values}


def handed_over(settings: Mapping[str, str]) -> dict[str, str]:
    """What uv is told of pip's settings, as variables.

    pip takes the best version of all indexes, and so shall uv: what is installed is known by its hashes. A minute,
    which uv gives the compilation of one file, is not enough on a machine that stands still.
    """
    told = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_COMPILE_BYTECODE_TIMEOUT": "600"}
    for name, (variable, between) in _NAMES.items():
        if values := settings.get(name, "").replace("\\n", " ").split():
            told[variable] = between.join(values)
    return told


def commands(install: Sequence[str], wanted: Sequence[str]) -> list[list[str]]:
    """The installations in order: packages with what they need, locks (whole, by hash), the project itself."""
    locks = [part for item in wanted if item.endswith(".txt") for part in ("-r", item)]
    packages = [item for item in wanted if not item.endswith(".txt") and item != "."]
    made = [[*install, *packages]] if packages else []
    if locks:
        made.append([*install, "--no-deps", "--require-hashes", *locks])
    if "." in wanted:
        made.append([*install, "--no-deps", "--no-build-isolation", "--editable", "."])
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
