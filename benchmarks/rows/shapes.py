"""Writes files of rows in every shape that people have, and breaks some of them at random bytes; all by a seed."""

from __future__ import annotations

import bz2
import codecs
import datetime
import gzip
import json
import lzma
import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from backports import zstd

LETTERS = 'ab "\\\n\t\0\r{}[],:é中\u2028😀\x7f=$'
HUGE = "an integer of 5001 digits"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstd.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode("utf-8", "surrogatepass"),
    "utf-8-sig": lambda text: codecs.BOM_UTF8 + text.encode("utf-8", "surrogatepass"),
    "utf-16": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass"),
    "utf-16-be": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be", "surrogatepass"),
    "utf-32": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le", "surrogatepass"),
}


@dataclass(frozen=True)
class Shape:
    """A file that was written: its path, what it is, how many rows it holds (None: it was broken), how it was made.

    `wrote`: rows that went into it before it was broken.
    """

    path: Path
    kind: str
    rows: int | None
    said: str
    wrote: int = 0


def written(folder: Path, seed: int) -> Shape:
    """One file of a random shape; about a third of them are broken."""
    rng = random.Random(seed)
    rows = [row(rng) for _ in range(rng.choice([1, 2, 3, 5, 9, 17, 17, 40]) if rng.random() < 0.95 else 0)]
    kind = rng.choice(["jsonl", "jsonl", "array", "objects", "parquet", "parquet"])
    data = parquet_bytes(rng, rows) if kind == "parquet" else json_bytes(rng, rows, kind)
    suffix = {"jsonl": rng.choice([".jsonl", ".json", ""]), "array": ".json", "objects": ".json", "parquet": ".parquet"}
    name, said = f"rows{suffix[kind]}", kind
    if rng.random() < 0.3:
        packed = rng.choice(list(PACKERS))
        data, name, said = PACKERS[packed](data), name + rng.choice([packed, ""]), said + packed
    count: int | None = len(rows)
    if rng.random() < 0.35 and data:
        data, how = broken(rng, data)
        count, said = None, f"{said}, {how}"
    path = folder / name
    path.write_bytes(data)
    return Shape(path, kind, count, said, len(rows))


def text(rng: random.Random) -> str:
    """A short text, seldom with half a surrogate pair."""
    made = "".join(rng.choice(LETTERS) for _ in range(rng.randrange(14)))
    return made + "\ud835" if rng.random() < 0.02 else made


def scalar(rng: random.Random) -> Any:
    """Any single value of JSON."""
    kinds: list[Callable[[], Any]] = [
        lambda: None,
        lambda: rng.random() < 0.5,
        lambda: rng.randrange(-5, 5),
        lambda: rng.choice([-1, 1]) * 10 ** rng.choice([18, 19, 20, 30, 400]),
        lambda: HUGE if rng.random() < 0.1 else None,
        lambda: rng.choice([0.1, -0.0, 1e22, 1e308, 5e-324, float("nan"), float("inf")]),
        lambda: text(rng),
        lambda: rng.choice(["2024-05-01", "NaN", "null", "", " ", "1/2"]),
    ]
    return rng.choice(kinds)()


def value(rng: random.Random, depth: int = 0) -> Any:
    """Any value of JSON."""
    if depth > 3 or rng.random() < 0.6:
        return scalar(rng)
    if rng.random() < 0.5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {text(rng): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def row(rng: random.Random) -> dict[str, Any]:
    """A row that is mostly as a recipe expects it, and now and then not at all."""
    made: dict[str, Any] = {"q": text(rng) + "?", "a": scalar(rng), "r": text(rng), "id": scalar(rng)}
    made["t"] = rng.choice([None, ["assert f(1) == 2"], '{"inputs": ["1"], "outputs": ["2"]}', value(rng)])
    made["m"] = rng.choice([None, [{"role": "user", "content": text(rng)}], value(rng)])
    for name in list(made):
        if rng.random() < 0.05:
            made[name] = value(rng)
        elif rng.random() < 0.05 and name != "q":
            del made[name]
    return made


def json_bytes(rng: random.Random, rows: list[Any], kind: str) -> bytes:
    """The rows as lines, one array, or objects printed over many lines."""
    ascii_only = rng.random() < 0.5
    indent = rng.choice([1, 2]) if kind == "objects" else rng.choice([None, 2]) if kind == "array" else None
    texts = [json.dumps(one, ensure_ascii=ascii_only, indent=indent) for one in rows]
    texts = [one.replace(f'"{HUGE}"', "1" + "0" * 5000) for one in texts]
    if kind == "array":
        gap = rng.choice([",", ", ", ",\n", "\n,"])
        whole = rng.choice(["", "\n", " "]) + "[" + gap.join(texts) + "]" + rng.choice(["", "\n", "\n\n "])
    else:
        whole = "".join(one + rng.choice(["\n", "\r\n"]) for one in texts)
        whole = whole.rstrip("\r\n") if rng.random() < 0.3 else whole
    return ENCODINGS[rng.choice(["utf-8", "utf-8", *ENCODINGS])](whole)


def parquet_bytes(rng: random.Random, rows: list[dict[str, Any]]) -> bytes:
    """The rows as Parquet, with columns of many types."""
    count = len(rows)
    texts = [one["q"].encode("utf-8", "replace").decode() if isinstance(one["q"], str) else None for one in rows]
    prompt = pa.array(texts, pa.string())
    columns: dict[str, pa.Array] = {
        "q": rng.choice([lambda: prompt, lambda: prompt.dictionary_encode(), lambda: prompt.cast(pa.large_string())])(),
        "a": arrow_column(rng, count),
        "r": arrow_column(rng, count),
        "extra": arrow_column(rng, count),
    }
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        row_group_size=rng.choice([1, 3, 1000]),
        compression=rng.choice(["snappy", "zstd", "gzip", "none", "brotli", "lz4"]),
        write_page_checksum=rng.random() < 0.3,
        data_page_version=rng.choice(["1.0", "2.0"]),
    )
    return bytes(sink.getvalue())


def arrow_column(rng: random.Random, count: int) -> pa.Array:
    """A column of one of Arrow's types, with nulls."""
    day = datetime.date(2024, 5, 1)
    kinds: list[tuple[Callable[[], Any], pa.DataType]] = [
        (lambda: text(rng).encode("utf-8", "replace").decode(), pa.string()),
        (lambda: bytes(rng.randrange(256) for _ in range(4)), pa.binary()),
        (lambda: rng.randrange(-(2**63), 2**63), pa.int64()),
        (lambda: rng.randrange(2**64), pa.uint64()),
        (lambda: rng.choice([1.5, float("nan"), float("inf")]), pa.float64()),
        (lambda: rng.random() < 0.5, pa.bool_()),
        (lambda: day, pa.date32()),
        (lambda: rng.choice([-(2**52), 0, 2**52, 3_000_000_000]), pa.timestamp("s")),
        (lambda: rng.choice([0, 1, 10**18]), pa.timestamp("ns", tz="UTC")),
        (lambda: rng.randrange(86_400), pa.time32("s")),
        (lambda: rng.randrange(10**9), pa.duration("us")),
        (lambda: Decimal(rng.randrange(10**6)) / 100, pa.decimal128(20, 2)),
        (lambda: [{"role": "user", "content": text(rng).encode("utf-8", "replace").decode()}],
         pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        (lambda: [("k", 1)], pa.map_(pa.string(), pa.int64())),
        (lambda: [1.0, None], pa.list_(pa.float32())),
        (lambda: None, pa.null()),
    ]  # fmt: skip
    make, kind = rng.choice(kinds)
    return pa.array([None if rng.random() < 0.2 else make() for _ in range(count)], kind)


def broken(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    """The file after an accident, and which."""
    place = rng.randrange(len(data))
    some = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
    accidents: dict[str, Callable[[], bytes]] = {
        "cut off": lambda: data[:place],
        "bytes changed": lambda: data[:place] + some + data[place + len(some) :],
        "bytes put in": lambda: data[:place] + some + data[place:],
        "bytes taken out": lambda: data[:place] + data[place + len(some) :],
        "NUL bytes": lambda: data[:place] + b"\0" * 200 + data[place:],
        "rubbish behind": lambda: data + some,
        "twice": lambda: data + data,
        "head lost": lambda: data[place:],
    }
    how = rng.choice(list(accidents))
    return accidents[how](), f"{how} at {place}"
