"""Makes a sandbox image from this machine's own interpreter, for engines that can reach no registry.

The image holds the interpreter, its standard library, chosen packages, optionally the C++ compiler, and the shared
libraries that these need; nothing else of the machine. docker/sandbox/Dockerfile is the image for production.
"""

import io
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "pytest", "pluggy", "iniconfig", "packaging", "pygments")
_COMPILER_PACKAGES = (
    *("g++", "gcc", "cpp", "binutils", "binutils-common", "libbinutils", "libc6-dev", "linux-libc-dev", "libcrypt-dev"),
    *("libstdc++", "libgcc", "libc-dev-bin"),
)
_SKIPPED = re.compile(r"/(test|tests|idlelib|tkinter|ensurepip|config-3[^/]*|site-packages|turtledemo|lib2to3)(/|$)")
_LIBRARY = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x")


def _libraries(binaries: Iterable[Path]) -> set[Path]:
    """Return the shared libraries outside the packages that `binaries` are linked with, the loader included."""
    names = [str(path) for path in binaries]
    listing = subprocess.run(["ldd", *names], capture_output=True, text=True, check=False).stdout
    found = {Path(os.path.normpath(match)) for match in _LIBRARY.findall(listing)}
    return {path for path in found if not path.is_relative_to(sysconfig.get_path("purelib"))}


def _library_name(path: Path) -> str:
    """Return where a library goes: its own place, or /usr/lib, which every loader searches."""
    return str(path).lstrip("/") if path.parts[1] in ("lib", "lib64", "usr") else f"usr/lib/{path.name}"


def _interpreter() -> Iterator[tuple[Path, str]]:
    """Yield (file, name in the image) of the interpreter and its standard library."""
    yield Path(os.path.realpath(sys.executable)), "usr/local/bin/python3"
    stdlib = Path(sysconfig.get_path("stdlib"))
    for path in sorted(stdlib.rglob("*")):
        inside = path.relative_to(stdlib)
        if path.is_file() and not _SKIPPED.search(f"/{inside}"):
            yield path, f"usr/local/lib/{stdlib.name}/{inside}"


def _packages(names: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files of installed distributions; those that are not installed are left out."""
    home = Path(sysconfig.get_path("purelib"))
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for file in files:
            path = Path(str(file.locate()))
            if ".." not in path.parts and path.is_file() and path.is_relative_to(home) and "tests" not in path.parts:
                yield path, f"usr/local/lib/{Path(sysconfig.get_path('stdlib')).name}/site-packages/{file}"


def _compiler() -> Iterator[tuple[Path, str]]:
    """Yield the files of the C++ compiler as Debian's packages list them."""
    installed = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\\n"], capture_output=True, text=True, check=True)
    pattern = re.compile(rf"^({'|'.join(map(re.escape, _COMPILER_PACKAGES))})(-\d+)?(-x86-64-linux-gnu|-dev)?$")
    wanted = [name for name in installed.stdout.split() if pattern.match(name)]
    listing = subprocess.run(["dpkg", "-L", *wanted], capture_output=True, text=True, check=True).stdout
    for name in ("libc.so.6", "libm.so.6", "libmvec.so.1"):  # what the development links point to
        yield Path("/lib/x86_64-linux-gnu", name), f"lib/x86_64-linux-gnu/{name}"
    for line in dict.fromkeys(listing.split("\n")):
        path = Path(line)
        if line.startswith(("/usr/bin/", "/usr/lib/", "/usr/include/")) and not path.is_dir():
            yield path, line.lstrip("/")


def _executables(files: Iterable[tuple[Path, str]]) -> list[Path]:
    return [path for path, _ in files if path.suffix not in (".py", ".pyc", ".h", ".txt") and os.access(path, os.X_OK)]


def _add(archive: tarfile.TarFile, path: Path, name: str, follow: bool) -> None:
    source = Path(os.path.realpath(path)) if follow else path
    entry = archive.gettarinfo(str(source), name)
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if entry.isfile():
        with source.open("rb") as file:
            archive.addfile(entry, file)
    else:
        archive.addfile(entry)


def root_archive(packages: Iterable[str] = PACKAGES, compiler: bool = False) -> bytes:
    """Return the image's root as a tar archive."""
    python = [*_interpreter(), *_packages(packages)]
    native = list(_compiler()) if compiler else []
    libraries = _libraries(_executables([*python, *native]))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, mode in (("tmp", 0o1777), ("build", 0o1777), ("etc", 0o755), ("proc", 0o755), ("dev", 0o755)):
            directory = tarfile.TarInfo(name)
            directory.type = tarfile.DIRTYPE
            directory.mode = mode
            archive.addfile(directory)
        files = {name: (path, True) for path, name in python} | {
            name: (path, name.startswith("lib/")) for path, name in native
        }
        files |= {_library_name(path): (path, True) for path in libraries}
        for name, (path, follow) in sorted(files.items()):
            _add(archive, path, name, follow)
        if compiler:
            alias = tarfile.TarInfo("bin")
            alias.type = tarfile.SYMTYPE
            alias.linkname = "usr/bin"
            archive.addfile(alias)
    return buffer.getvalue()


def import_image(client: Any, tag: str, packages: Iterable[str] = PACKAGES, compiler: bool = False) -> str:
    """Give `client`'s engine an image named `tag` made from this machine; returns its id."""
    data = root_archive(packages, compiler)
    client.api.import_image_from_data(data, repository=tag, tag="latest")
    return str(client.images.get(tag).id)
