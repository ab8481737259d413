"""Turns a file as people have it (gzip, zstd, bzip2, xz, UTF-16) into plain UTF-8 bytes, and proves that it was whole.

Every reader sees plain bytes, in which it can seek: a packed file is unpacked once a machine (see Cache), not once a
slice. What a file is, its first bytes say; its name is not asked.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from backports import zstd

from tracemill.errors import SourceError, StoreError
from tracemill.ingest.formats.cache import Cache

BLOCK = 1 << 20  # bytes read at once
BOM = codecs.BOM_UTF8
FORMATS = "JSON Lines, JSON or Parquet (also as .gz, .zst, .bz2 or .xz)"
_MEMORY = 256 << 20  # bytes that a decompressor may take for its window


class _Decompressor(Protocol):
    """One member (gzip), frame (zstd) or stream (bzip2, xz) of a packed file."""

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether it has given all that it can of what it was given."""

    @property
    def unused_data(self) -> bytes:
        """What was given behind its end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most `max_length` bytes more."""


def _gunzip(raw: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=raw) as stream:
        while block := stream.read(BLOCK):
            yield block


def _members(new: Callable[[], _Decompressor], raw: BinaryIO) -> Iterator[bytes]:
    """All members one after the other. Raises EOFError when the last one does not end."""
    pending = raw.read(BLOCK)
    while pending:
        member = new()
        while not member.eof:
            data = b""
            if member.needs_input:
                data = pending or raw.read(BLOCK)
                pending = b""
                if not data:
                    raise EOFError("it ends too early")
            yield member.decompress(data, BLOCK)
        pending = (member.unused_data or raw.read(BLOCK)).lstrip(b"\0")  # padding


_zstd = partial(_members, zstd.ZstdDecompressor)
_UNPACKERS: dict[bytes, tuple[str, Callable[[BinaryIO], Iterator[bytes]]]] = {
    b"\x1f\x8b": ("gzip", _gunzip),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
    b"BZh": ("bzip2", partial(_members, bz2.BZ2Decompressor)),
    b"\xfd7zXZ\0": ("xz", partial(_members, partial(lzma.LZMADecompressor, memlimit=_MEMORY))),
    # frames to be skipped (pzstd, the seekable format) may come before the first frame of data
    **{bytes([0x50 + n, 0x2A, 0x4D, 0x18]): ("zstd", _zstd) for n in range(16)},
}
_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zstd.ZstdError)

_ENCODINGS = {  # the longer mark first: UTF-32 begins like UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHERS = {
    b"PK\x03\x04": "a zip archive (or an Excel sheet)",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a Feather file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    **{bytes([0x80, n]): "a Python pickle, which is never read" for n in range(2, 6)},
    b"\x93NUMPY": "a NumPy file",
    b"%PDF": "a PDF",
    b"version https://git-lfs": "a pointer of Git LFS in place of the data: run `git lfs pull`",
    b"<!DOCTYPE": "a web page: the download went wrong",
    b"<html": "a web page: the download went wrong",
    b"<?xml": "an XML file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\x04\x22\x4d\x18": "LZ4 data",
    b"\xff\x06\0\0sNaPpY": "Snappy data",
    b"\x5d\0\0": "an .lzma file of the old kind",
    b"\x1f\x9d": "a .Z file",
}
_TAR = b"ustar"  # its mark stands behind the name of the first file
_TAR_AT = 257


@contextmanager
def opened(path: Path, shown: str) -> Iterator[BinaryIO]:
    """The file's bytes as they are. Raises SourceError, naming the file as the recipe does, when there is none."""
    try:
        handle = path.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise SourceError(f"{shown}: there is no such file ({path}); check the path in the recipe") from error
    except PermissionError as error:
        raise SourceError(f"{shown}: may not be read ({path}); check the file's permissions") from error
    with handle:
        yield handle


def content_digest(path: Path, shown: str, cache: Cache) -> str:
    """SHA-256 of the file's bytes as they lie on the disk; see Cache.digest. Raises SourceError when there is none."""
    with opened(path, shown):
        return cache.digest(path)


def plain(path: Path, shown: str, cache: Cache) -> Path:
    """A file with the same content as plain UTF-8 (or Parquet) bytes: the file itself, or its unpacked copy.

    Raises SourceError for data that is cut off, damaged, or of a format that no reader knows.
    """
    with opened(path, shown) as raw:
        packed = _unpacker(raw.read(16)) is not None
    if not packed:
        return _transcoded(path, shown, cache)
    name = f"unpacked/{content_digest(path, shown, cache)}"
    return _transcoded(cache.made(name, partial(_unpack, path, shown)), shown, cache)


def _unpacker(head: bytes) -> tuple[str, Callable[[BinaryIO], Iterator[bytes]]] | None:
    return next((unpacker for magic, unpacker in _UNPACKERS.items() if head.startswith(magic)), None)


def _unpack(path: Path, shown: str, target: Path) -> None:
    with opened(path, shown) as raw, target.open("wb") as out:
        found = _unpacker(raw.read(16))
        if found is None:
            raise SourceError(f"{shown}: changed while it was read; run `plan` again")
        name, blocks = found
        raw.seek(0)
        try:
            for block in blocks(raw):
                _put(out, block)
        except _DAMAGED as error:
            raise SourceError(
                f"{shown}: is not whole {name} data ({error}; {out.tell():,} bytes could be unpacked); "
                "fetch the file again"
            ) from error


def _put(out: IO[bytes], block: bytes) -> None:
    try:
        out.write(block)
    except OSError as error:
        raise StoreError(
            f"{out.name}: {error} (free space, or set TRACEMILL_CACHE to a larger disk, and retry)"
        ) from error


def _transcoded(path: Path, shown: str, cache: Cache) -> Path:
    with opened(path, shown) as raw:
        head = raw.read(_TAR_AT + len(_TAR))
    encoding = _encoding(head)
    if encoding is None:
        _refuse_other(head, shown)
        return path
    name = f"unpacked/{content_digest(path, shown, cache)}.utf8"
    return cache.made(name, partial(_transcode, path, shown, encoding))


def _encoding(head: bytes) -> str | None:
    """The encoding that a mark, or NUL bytes in the first characters of a JSON text, give away; None for UTF-8."""
    for mark, encoding in _ENCODINGS.items():
        if head.startswith(mark):
            return encoding
    first = head[:4]
    if len(first) == 4 and first[0] in b"{[ \n\r\t" and first[1] == first[3] == 0 != first[2]:
        return "utf-16-le"
    if len(first) == 4 and first[1] in b"{[ \n\r\t" and first[0] == first[2] == 0 != first[3]:
        return "utf-16-be"
    return None


def _transcode(path: Path, shown: str, encoding: str, target: Path) -> None:
    """Write the text as UTF-8. Half a surrogate pair stays what it is: bytes that are no UTF-8, one row's fault."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogatepass")
    with opened(path, shown) as raw, target.open("wb") as out:
        try:
            while block := raw.read(BLOCK):
                _put(out, decoder.decode(block).encode("utf-8", "surrogatepass"))
            _put(out, decoder.decode(b"", final=True).encode("utf-8", "surrogatepass"))
        except UnicodeDecodeError as error:
            place = raw.tell() - len(error.object) + error.start
            raise SourceError(
                f"{shown}: is {encoding.upper()} text that breaks near byte {place:,} ({error.reason}); "
                "fetch the file again, or save it as UTF-8"
            ) from error


def _refuse_other(head: bytes, shown: str) -> None:
    if packed := _unpacker(head):
        raise SourceError(f"{shown}: is {packed[0]} data packed a second time; unpack it once")
    if head[_TAR_AT:] == _TAR:
        raise SourceError(f"{shown}: is a tar archive; unpack it and name the folder (expected {FORMATS})")
    for magic, name in _OTHERS.items():
        if head.removeprefix(BOM).lstrip().startswith(magic):
            raise SourceError(f"{shown}: is {name}; expected {FORMATS}")
