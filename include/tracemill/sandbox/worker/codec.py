"""Values as tagged JSON: plain builtins in, plain builtins out, whatever class the sandboxed program used.

Scalars and lists are themselves. Everything else is an object with one key: f float, i big int, t tuple, d dict,
s set, z frozenset, b bytes, c complex, q deque, L linked list, T binary tree, x a value that has no plain form.
Decoding builds only builtins, so no code of the program runs and no `__eq__` of its making survives.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

MAX_DEPTH = 200
MAX_NODES = 100_000
MAX_SAME_HASH = 8
_SMALL = 1 << 62


class CodecError(ValueError):
    """The data is not what `encode` writes, or a value has no plain form where one is required."""


class Opaque:
    """A value that could not leave the program; equal to nothing, not even to itself."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def __eq__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<{self.type_name} object>"


class Nodes:
    """A linked list (`kind` L) or a level-order binary tree (`kind` T) as its plain values."""

    __slots__ = ("kind", "values")

    def __init__(self, kind: str, values: list[Any]) -> None:
        self.kind = kind
        self.values = values

    def __eq__(self, other: object) -> bool:
        return type(other) is Nodes and (other.kind, other.values) == (self.kind, self.values)

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return f"Nodes({self.kind!r}, {self.values!r})"


def linked_values(node: Any) -> list[Any]:
    """Return a linked list's values, at most MAX_NODES of a circular one."""
    values: list[Any] = []
    while node is not None and len(values) < MAX_NODES:
        values.append(node.val)
        node = node.next
    return values


def tree_values(root: Any) -> list[Any]:
    """Return a binary tree in LeetCode's level order, None for a missing child, no None at the end."""
    values: list[Any] = []
    queue = deque([root])
    while queue and len(values) < MAX_NODES:
        node = queue.popleft()
        values.append(None if node is None else node.val)
        if node is not None:
            queue += (node.left, node.right)
    while values and values[-1] is None:
        values.pop()
    return values


def _float(value: float) -> dict[str, str]:
    return {"f": float.hex(value)}


def _int(value: int) -> Any:
    return value if -_SMALL < value < _SMALL else {"i": hex(value)}


def _is_flat(items: list[Any]) -> bool:
    """Return whether a list is its own encoding: all text, or all small whole numbers."""
    kinds = set(map(type, items))
    return kinds == {str} or (kinds == {int} and min(items) > -_SMALL and max(items) < _SMALL)


def encode(value: Any, depth: int = 0, other: Callable[[Any], Any] | None = None) -> Any:
    """Return `value` as tagged JSON. Subclasses become their base; `other` (or Opaque) takes what has no plain form."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return _int(value)
    if kind is float:
        return _float(value)
    if depth > MAX_DEPTH:
        return {"x": "too deep"}
    if kind is list:
        return value if _is_flat(value) else [encode(item, depth + 1, other) for item in value]
    if kind is tuple:
        return {"t": [encode(item, depth + 1, other) for item in value]}
    if kind is dict:
        return {"d": [[encode(k, depth + 1, other), encode(v, depth + 1, other)] for k, v in value.items()]}
    return _encode_rare(value, depth, other)


def _encode_rare(value: Any, depth: int, other: Callable[[Any], Any] | None) -> Any:
    name = type(value).__name__
    if isinstance(value, (set, frozenset)):
        tag = "s" if isinstance(value, set) else "z"
        return {tag: [encode(item, depth + 1, other) for item in list(value)]}
    if isinstance(value, bytes) or (isinstance(value, bytearray) and other is None):
        return {"b": bytes(value).hex()}
    if type(value) is complex:
        return {"c": [value.real.hex(), value.imag.hex()]}
    if type(value) is deque:
        return {"q": [encode(item, depth + 1, other) for item in value]}
    if type(value) is Nodes:
        return {value.kind: [encode(item, depth + 1) for item in value.values]}
    if name == "ListNode" and other is None:
        return {"L": [encode(item, depth + 1) for item in linked_values(value)]}
    if name == "TreeNode" and other is None:
        return {"T": [encode(item, depth + 1) for item in tree_values(value)]}
    return _encode_subclass(value, name, depth, other)


def _encode_subclass(value: Any, name: str, depth: int, other: Callable[[Any], Any] | None) -> Any:
    if type(value).__module__ == "numpy" and hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        return encode(value.item(), depth + 1, other)
    if other is not None:
        return other(value)
    if isinstance(value, int):
        return _int(int.__int__(value))
    if isinstance(value, float):
        return _float(float.__float__(value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, list):
        return [encode(item, depth + 1) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return {"t": [encode(item, depth + 1) for item in tuple.__iter__(value)]}
    if isinstance(value, dict):
        return {"d": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in dict.items(value)]}
    return {"x": name}


def _check_hashes(items: list[Any]) -> list[Any]:
    """Return `items`, of which no more than a few differ but share a hash: a table of such takes quadratic time."""
    hashes = list(map(hash, items))
    order = sorted(range(len(items)), key=hashes.__getitem__)
    same: list[Any] = []
    before = None
    for at in order:
        if hashes[at] != before:
            before = hashes[at]
            same.clear()
        if items[at] not in same:
            same.append(items[at])
        if len(same) > MAX_SAME_HASH:
            raise CodecError("too many values share a hash")
    return items


def to_set(items: list[Any]) -> set[Any]:
    """Return the set of `items`, whoever wrote them; raises CodecError where their hashes were made to collide."""
    return set(_check_hashes(items))


def to_dict(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    """Return the table of `keys` and `values`; raises CodecError where the keys' hashes were made to collide."""
    return dict(zip(_check_hashes(keys), values, strict=True))


def _text(body: Any) -> str:
    if type(body) is not str:
        raise CodecError("a tag wants text")
    return body


def _scalar(tag: str, body: Any) -> Any:
    if tag == "f":
        return float.fromhex(_text(body))
    if tag == "i":
        return int(_text(body), 16)
    if tag == "b":
        return bytes.fromhex(_text(body))
    if tag == "c" and type(body) is list and len(body) == 2:
        return complex(float.fromhex(_text(body[0])), float.fromhex(_text(body[1])))
    if tag == "x":
        return Opaque(_text(body)[:80])
    raise CodecError(f"unknown tag {tag!r}")


_MANY: dict[str, Callable[[list[Any]], Any]] = {
    "t": tuple,
    "s": to_set,
    "z": lambda values: frozenset(to_set(values)),
    "q": deque,
    "L": lambda values: Nodes("L", values),
    "T": lambda values: Nodes("T", values),
}


def decode(data: Any, build: Mapping[str, Callable[[Any], Any]] | None = None, depth: int = 0) -> Any:
    """Rebuild plain builtins from tagged JSON. `build` overrides tags (linked lists, handles). Raises CodecError."""
    kind = type(data)
    if data is None or kind is bool or kind is int or kind is str:
        return data
    if depth > MAX_DEPTH:
        raise CodecError("nested too deeply")
    if kind is list:
        return data if _is_flat(data) else [decode(item, build, depth + 1) for item in data]
    if kind is not dict or len(data) != 1:
        raise CodecError("not tagged JSON")
    ((tag, body),) = data.items()
    try:
        return _tagged(tag, body, build, depth)
    except (TypeError, ValueError, OverflowError) as error:
        raise CodecError(str(error)[:200]) from None


def _tagged(tag: str, body: Any, build: Mapping[str, Callable[[Any], Any]] | None, depth: int) -> Any:
    if tag == "d":
        keys = [decode(key, build, depth + 1) for key, _ in body]
        return to_dict(keys, [decode(value, build, depth + 1) for _, value in body])
    many = (build or {}).get(tag) or _MANY.get(tag)
    if many is None:
        return _scalar(tag, body)
    if type(body) is not list:
        raise CodecError("a tag wants a list")
    return many([decode(item, build, depth + 1) for item in body])
