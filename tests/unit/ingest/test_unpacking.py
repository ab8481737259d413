"""Packed and recoded files give the rows that were packed, once a machine; a file that is not whole says so."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from tracemill.engine.resources import Resources
from tracemill.errors import SourceError
from tracemill.ingest.formats.cache import Cache
from tracemill.ingest.mapped import JsonlSource

ROWS = [{"q": f"Wie groß ist {n}? 多大？"} for n in range(500)]
DATA = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
HALF = len(DATA) // 2
SKIPPED = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"skip"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def source(path: Path | str) -> JsonlSource:
    """A mapped source."""
    given = {"kind": "jsonl", "name": "s", "path": str(path), "columns": {"prompt": "q"}}
    return JsonlSource.model_validate(given)


def read(path: Path | str, here: Resources, rows: int = 200) -> list[object]:
    """All rows, the last slice first."""
    made = source(path)
    parts = made.plan(here, rows)
    return [raw.value for part in reversed(parts) for raw in made.read(here, part)]


@pytest.fixture
def here(tmp_path: Path) -> Resources:
    """A machine with an empty cache."""
    return Resources(environment={"TRACEMILL_CACHE": str(tmp_path / "cache")})


@pytest.mark.parametrize("name", ["rows.jsonl", "ROWS.JSONL.ZST", "rows"])
@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(pack(DATA), id=how) for how, pack in PACKERS.items()),
        *(pytest.param(pack(DATA[:HALF]) + pack(DATA[HALF:]), id=f"{how} twice") for how, pack in PACKERS.items()),
        pytest.param(SKIPPED + zstd.compress(DATA) + SKIPPED, id="zstd with frames to skip"),
        pytest.param(DATA.decode().encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(codecs.BOM_UTF16_BE + DATA.decode().encode("utf-16-be"), id="UTF-16, the other order"),
        pytest.param(DATA.decode().encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param(DATA.decode().encode("utf-32"), id="UTF-32"),
        pytest.param(gzip.compress(DATA.decode().encode("utf-16")), id="UTF-16 in gzip"),
        pytest.param(codecs.BOM_UTF8 + DATA, id="UTF-8 with a mark"),
    ],
)
def test_what_is_in_a_file_decides_not_its_name(tmp_path: Path, here: Resources, data: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name, here) == [*ROWS[400:], *ROWS[200:400], *ROWS[:200]]


@pytest.mark.parametrize("how", PACKERS)
@pytest.mark.parametrize("cut", [30, 5, 1], ids=lambda n: f"{n} bytes short")
def test_a_packed_file_that_was_cut_off_is_refused(tmp_path: Path, here: Resources, how: str, cut: int) -> None:
    (tmp_path / "rows").write_bytes(PACKERS[how](DATA)[:-cut])
    with pytest.raises(SourceError, match=rf"rows: is not whole {how} data .*fetch the file again"):
        read(tmp_path / "rows", here)


@pytest.mark.parametrize("how", PACKERS)
def test_rubbish_behind_a_packed_file_is_refused(tmp_path: Path, here: Resources, how: str) -> None:
    (tmp_path / "rows").write_bytes(PACKERS[how](DATA) + b'{"q": "lost?"}\n')
    with pytest.raises(SourceError, match=f"is not whole {how} data"):
        read(tmp_path / "rows", here)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(DATA.decode().encode("utf-16")[:-1], "UTF-16 text that breaks near byte", id="half a character"),
        pytest.param(b"PK\x03\x04....", "a zip archive", id="zip"),
        pytest.param(b"ARROW1\0\0", "an Arrow file", id="Arrow"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull", id="LFS pointer"),
        pytest.param(b"\n<!DOCTYPE html><html>", "a web page", id="error page"),
        pytest.param(b"PAR1 and no more", "is not whole Parquet data", id="not Parquet"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(gzip.compress(b""), "is empty", id="nothing in gzip"),
        pytest.param(b"problem,answer\n1,2\n", "none of the first 2 rows", id="a table of text"),
    ],
)
def test_what_no_reader_knows_is_named(tmp_path: Path, here: Resources, data: bytes, says: str) -> None:
    (tmp_path / "rows").write_bytes(data)
    with pytest.raises(SourceError, match=f"{tmp_path}/rows") as caught:
        read(tmp_path / "rows", here)
    assert says in str(caught.value)


def test_half_a_surrogate_pair_is_one_bad_row(tmp_path: Path, here: Resources) -> None:
    lines = '{"q": "a"}\n{"q": "\ud835"}\n{"q": "b"}\n'
    (tmp_path / "rows").write_bytes(codecs.BOM_UTF16_LE + lines.encode("utf-16-le", "surrogatepass"))
    made = source(tmp_path / "rows")
    rows = [raw for part in made.plan(here, 10) for raw in made.read(here, part)]
    assert [raw.error.reason if raw.error else None for raw in rows] == [None, "bad_utf8", None]


def test_a_packed_file_is_unpacked_once(tmp_path: Path, here: Resources) -> None:
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(zstd.compress(DATA))
    read(path, here)
    (copy,) = (tmp_path / "cache/unpacked").glob("*[!k]")
    changed = copy.stat().st_mtime_ns
    assert len(read(path, here, rows=10)) == 500
    assert copy.stat().st_mtime_ns == changed
    copy.unlink()  # a cache may be emptied at any time
    left = copy.with_name(f"{copy.name}.dead.part")
    left.write_bytes(b"half")  # by a process that was killed
    assert len(read(path, here)) == 500
    assert copy.exists()
    assert not left.exists()


def test_a_digest_is_kept_for_other_processes_until_the_file_changes(tmp_path: Path) -> None:
    path, cache = tmp_path / "rows", Cache(tmp_path / "cache")
    path.write_bytes(b"one")
    time.sleep(0.06)
    first = cache.digest(path)
    (kept,) = (tmp_path / "cache/digests").iterdir()
    kept.write_text(kept.read_text().replace(first, "0" * 64))  # whoever reads this did not read the file
    assert Cache(tmp_path / "cache").digest(path) == "0" * 64
    path.write_bytes(b"two")
    assert cache.digest(path) == hashlib.sha256(b"two").hexdigest()
    kept.write_text("damaged")
    assert cache.digest(path) == hashlib.sha256(b"two").hexdigest()
    assert Cache(Path("/proc/no/folder")).digest(path) == hashlib.sha256(b"two").hexdigest()


def _tar(data: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("rows.jsonl")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


FOREIGN: dict[str, tuple[bytes, str]] = {
    "tar": (_tar(DATA), "is a tar archive"),
    "tar in gzip": (gzip.compress(_tar(DATA)), "is a tar archive"),
    "zstd in gzip": (gzip.compress(zstd.compress(DATA)), "packed a second time"),
    "lzma of the old kind": (lzma.compress(DATA, format=lzma.FORMAT_ALONE), "is an .lzma file"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + DATA, "is a 7-Zip archive"),
    "pickle": (b"\x80\x05\x95" + DATA, "pickle"),
}


@pytest.mark.parametrize(("data", "says"), FOREIGN.values(), ids=FOREIGN)
def test_what_only_begins_like_rows_is_refused_by_its_name(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "rows.jsonl").write_bytes(data)
    with pytest.raises(SourceError, match=says):
        source(tmp_path / "rows.jsonl").plan(Resources(), 100)
