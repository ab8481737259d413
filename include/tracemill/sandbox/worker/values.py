"""What travels between the program and its tests: plain values by value, everything else as a handle to its owner."""

import collections
import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import codec
from .prelude import NODE_BUILDERS, ListNode, TreeNode
from .proxy import Proxy, RemoteFailures

_PLAIN_BASES = (int, float, str, list, tuple, dict)
_TIMES = (datetime.datetime, datetime.date, datetime.time)


def _time(name: str, text: str) -> Any:
    kinds: dict[str, Any] = {kind.__name__: kind for kind in _TIMES}
    return kinds[name].fromisoformat(text)


def _array(kind: str, items: Any) -> Any:
    import numpy

    if numpy.dtype(kind).kind not in "biufcU":
        raise codec.CodecError("not a plain array")
    return numpy.array(items, dtype=kind)


_COLLECTIONS = {collections.OrderedDict, collections.Counter, collections.defaultdict}
_MAKERS = {kind.__name__: kind for kind in (list, dict, set, int, float, str, tuple, bool)}


def _rebuilt(body: list[Any]) -> Any:
    kind, maker, items = body
    if kind == "defaultdict":
        return collections.defaultdict(_MAKERS.get(maker), items)
    return collections.OrderedDict(items) if kind == "OrderedDict" else collections.Counter(items)


def _base_of(value: Any) -> Any:
    """Return a subclass's value as the builtin it derives from, without asking its own methods."""
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return dict(dict.items(value))
    return list(list.__iter__(value)) if isinstance(value, list) else tuple(tuple.__iter__(value))


def update_in_place(old: Any, new: Any) -> Any:
    """Make the container `old` equal to `new` and return it; nested containers of like shape stay the same objects."""
    if type(old) is not type(new) or type(old) not in (list, dict, set):
        return new
    if isinstance(old, list):
        old[:] = [update_in_place(a, b) for a, b in zip(old, new, strict=True)] if len(old) == len(new) else new
    elif isinstance(old, dict):
        merged = {key: update_in_place(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        old.update(merged)
    else:
        old.clear()
        old.update(new)
    return old


class Values:
    """One side's view of the values: `owned` are objects that it gave handles for, `proxies` stand for the other's."""

    def __init__(self) -> None:
        self.owned: dict[int, Any] = {}
        self.proxies: dict[int, Proxy] = {}
        self.failures = RemoteFailures()
        self.whole = False  # whether subclasses of builtins stay objects: a class of the other side was called
        self._numbers: dict[int, int] = {}
        self._build: dict[str, Callable[[list[Any]], Any]] = {
            "h": self._proxy,
            "r": lambda body: self.owned[body[0]],
            "E": lambda body: self.failures.kind(body[0], body[1]),
            "D": lambda body: Decimal(body[0]),
            "F": lambda body: Fraction(body[0], body[1]),
            "M": lambda body: _time(body[0], body[1]),
            "I": lambda body: datetime.timedelta(body[0], body[1], body[2]),
            "N": lambda body: _array(body[0], body[1]),
            "K": _rebuilt,
            "Y": lambda body: bytearray.fromhex(body[0]),
            **NODE_BUILDERS,
        }

    def encode(self, value: Any) -> Any:
        """Return `value` for the wire."""
        return codec.encode(value, other=self._other)

    def decode(self, data: Any) -> Any:
        """Return the value that came over the wire."""
        return codec.decode(data, self._build)

    def _proxy(self, body: list[Any]) -> Proxy:
        number = int(body[0])
        if number not in self.proxies:
            self.proxies[number] = Proxy(self, number, str(body[1]))
        return self.proxies[number]

    def _other(self, value: Any) -> Any:
        if isinstance(value, Proxy):
            return {"r": [object.__getattribute__(value, "_remote_number")]}
        if isinstance(value, Decimal):
            return {"D": [str(value)]}
        if isinstance(value, Fraction):
            return {"F": [value.numerator, value.denominator]}
        if type(value) in _TIMES:
            return {"M": [type(value).__name__, value.isoformat()]}
        if type(value) is datetime.timedelta:
            return {"I": [value.days, value.seconds, value.microseconds]}
        if type(value) is range:
            return {"R": [value.start, value.stop, value.step]}
        if type(value) is bytearray:
            return {"Y": [value.hex()]}
        if type(value) in _COLLECTIONS:
            return self._collection(value)
        if type(value).__module__ == "numpy" and type(value).__name__ == "ndarray" and value.dtype.kind in "biufcU":
            return {"N": [value.dtype.str, self.encode(value.tolist())]}
        if type(value) is ListNode:
            return {"L": self.encode(codec.linked_values(value))}
        if type(value) is TreeNode:
            return {"T": self.encode(codec.tree_values(value))}
        if isinstance(value, type) and issubclass(value, BaseException):
            return self.failure_class(value)
        if isinstance(value, _PLAIN_BASES) and not self.whole:
            return self.encode(_base_of(value))
        return self._handle(value)

    def _collection(self, value: Any) -> Any:
        """Return a dictionary of the standard library with its kind, and a default's maker where it is a builtin."""
        kind = type(value).__name__
        maker = value.default_factory if kind == "defaultdict" else None
        if maker is not None and maker not in _MAKERS.values():
            return self._handle(value)
        pairs = [[self.encode(key), self.encode(item)] for key, item in dict.items(value)]
        return {"K": [kind, getattr(maker, "__name__", None), {"d": pairs}]}

    def _number(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self.owned)
            self.owned[number] = value
        return number

    def _handle(self, value: Any) -> Any:
        return {"h": [self._number(value), type(value).__name__]}

    def failure_class(self, kind: type[BaseException]) -> Any:
        """Return an exception class for the wire: its own classes by number and name, over a builtin."""
        chain = [[self._number(c), c.__name__] for c in kind.__mro__ if c.__module__ != "builtins"]
        base = next(c.__name__ for c in kind.__mro__ if c.__module__ == "builtins")
        return {"E": [chain, base]}
