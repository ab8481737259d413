"""Two processes that call each other's objects: the test file on one side, the program on the other.

Plain values travel by value, everything else as a handle to its owner. The side that asks trusts nothing it is told:
a handle equals no literal, and what the program may do to the tests' own objects is limited to calling the functions
and using the public attributes that it was handed, so that it can not look for the answers.
"""

import datetime
import json
import struct
import sys
import types
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import codec
from .frames import read_exactly, to_json, write_all
from .prelude import NODE_BUILDERS, ListNode, TreeNode
from .proxy import Proxy, RemoteFailures

_LENGTH = struct.Struct("<I")
MESSAGE_BYTES = 16 << 20
_PLAIN_BASES = (int, float, str, list, tuple, dict)
_TIMES = (datetime.datetime, datetime.date, datetime.time)


class PeerGone(BaseException):
    """The other side ended; no test may catch this and go on."""


def _time(name: str, text: str) -> Any:
    kinds: dict[str, Any] = {kind.__name__: kind for kind in _TIMES}
    return kinds[name].fromisoformat(text)


def _array(kind: str, items: Any) -> Any:
    import numpy

    if numpy.dtype(kind).kind not in "biufcU":
        raise codec.CodecError("not a plain array")
    return numpy.array(items, dtype=kind)


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


class Peer:
    """One end of the conversation over the stream `fd`. `serve_name` answers requests that are about no handle."""

    def __init__(self, fd: int, guarded: bool, serve_name: Callable[[str, list[Any]], Any]) -> None:
        self._fd, self._guarded, self._serve_name = fd, guarded, serve_name
        self._owned: dict[int, Any] = {}
        self._numbers: dict[int, int] = {}
        self._proxies: dict[int, Proxy] = {}
        self.failures = RemoteFailures()
        self.output: Callable[[], str] = str
        self._whole = False
        self._build: dict[str, Callable[[list[Any]], Any]] = {
            "h": self._proxy,
            "r": lambda body: self._owned[body[0]],
            "E": lambda body: self.failures.kind(body[0], body[1]),
            "D": lambda body: Decimal(body[0]),
            "F": lambda body: Fraction(body[0], body[1]),
            "M": lambda body: _time(body[0], body[1]),
            "I": lambda body: datetime.timedelta(body[0], body[1], body[2]),
            "N": lambda body: _array(body[0], body[1]),
            "R": lambda body: range(*body),
            **NODE_BUILDERS,
        }

    # -- values

    def encode(self, value: Any) -> Any:
        """Return `value` for the wire."""
        return codec.encode(value, other=self._other)

    def decode(self, data: Any) -> Any:
        """Return the value that came over the wire."""
        return codec.decode(data, self._build)

    def _proxy(self, body: list[Any]) -> Proxy:
        number = int(body[0])
        if number not in self._proxies:
            self._proxies[number] = Proxy(self, number, str(body[1]))
        return self._proxies[number]

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
        if type(value).__module__ == "numpy" and type(value).__name__ == "ndarray" and value.dtype.kind in "biufcU":
            return {"N": [value.dtype.str, self.encode(value.tolist())]}
        if type(value) is ListNode:
            return {"L": self.encode(codec.linked_values(value))}
        if type(value) is TreeNode:
            return {"T": self.encode(codec.tree_values(value))}
        if isinstance(value, type) and issubclass(value, BaseException):
            return self._failure_class(value)
        if isinstance(value, _PLAIN_BASES) and not self._whole:
            return self.encode(_base_of(value))
        return self._handle(value)

    def _number(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._owned)
            self._owned[number] = value
        return number

    def _handle(self, value: Any) -> Any:
        return {"h": [self._number(value), type(value).__name__]}

    def _failure_class(self, kind: type[BaseException]) -> Any:
        chain = [[self._number(c), c.__name__] for c in kind.__mro__ if c.__module__ != "builtins"]
        base = next(c.__name__ for c in kind.__mro__ if c.__module__ == "builtins")
        return {"E": [chain, base]}

    # -- the conversation

    def _read(self) -> list[Any]:
        try:
            (size,) = _LENGTH.unpack(read_exactly(self._fd, _LENGTH.size))
            if size > MESSAGE_BYTES:
                raise PeerGone("a message is too large")
            message = json.loads(read_exactly(self._fd, size))
        except (EOFError, OSError, ValueError, RecursionError):
            raise PeerGone("the other side is gone") from None
        if type(message) is not list or not message:
            raise PeerGone("not a message")
        return message

    def _write(self, message: list[Any]) -> None:
        data = to_json(message).encode()
        if len(data) > MESSAGE_BYTES:
            raise ValueError("a value is too large to travel")
        write_all(self._fd, _LENGTH.pack(len(data)) + data)

    def request(self, what: str, *arguments: Any) -> Any:
        """Ask the other side, serving its requests meanwhile; returns its value or raises its exception."""
        self._write(["q", what, self.encode(list(arguments))])
        while True:
            message = self._read()
            if message[0] == "q":
                self.serve(message)
                continue
            _, word, value, changed, output = message
            sys.stdout.write(str(output))
            self._apply(changed, arguments)
            if word == "same":
                return self._containers(arguments)[int(value)]
            if word == "ok":
                return self.decode(value)
            raise self.failures.rebuild(value, self.decode)

    def serve(self, message: list[Any]) -> None:
        """Answer one request."""
        arguments: list[Any] = []
        before: list[str] = []
        try:
            arguments = self.decode(message[2])
            before = self._state(arguments)
            value = self._perform(str(message[1]), arguments)
            word, body = self._body(str(message[1]), value, arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what the other side asked for failed: that is its answer
            word, body = "raise", self.failures.describe(error, self.encode, self._failure_class)
        self._write(["a", word, body, self._changes(arguments, before), self.output()])

    def _body(self, what: str, value: Any, arguments: list[Any]) -> tuple[str, Any]:
        for at, argument in enumerate(self._containers(arguments)):
            if value is argument:
                return "same", at
        self._whole = what == "call" and isinstance(arguments[0], type)
        try:
            return "ok", self.encode(value)
        finally:
            self._whole = False

    def answer_forever(self) -> None:
        """Serve requests until the other side ends."""
        while True:
            self.serve(self._read())

    def _containers(self, arguments: Any) -> list[Any]:
        """Return the mutable arguments of a call in order, which both sides number alike."""
        if len(arguments) != 3 or not isinstance(arguments[1], (list, tuple)) or not isinstance(arguments[2], dict):
            return []
        return [a for a in (*arguments[1], *arguments[2].values()) if type(a) in (list, dict, set)]

    def _state(self, arguments: list[Any]) -> list[str]:
        return [json.dumps(self.encode(argument)) for argument in self._containers(arguments)]

    def _changes(self, arguments: list[Any], before: list[str]) -> list[Any]:
        pairs = zip(self._containers(arguments), before, strict=False)
        encoded = ((at, self.encode(argument), old) for at, (argument, old) in enumerate(pairs))
        return [[at, data] for at, data, old in encoded if json.dumps(data) != old]

    def _apply(self, changed: Any, arguments: tuple[Any, ...]) -> None:
        containers = self._containers(arguments)
        for at, data in changed:
            update_in_place(containers[int(at)], self.decode(data))

    def _perform(self, what: str, arguments: list[Any]) -> Any:
        if what in ("name", "names", "input"):
            return self._serve_name(what, arguments)
        target = arguments[0]
        if self._guarded:
            self._permit(what, target, arguments)
        if what == "call":
            return target(*arguments[1], **arguments[2])
        if what == "attr":
            return getattr(target, arguments[1])
        if what == "set":
            return setattr(target, arguments[1], arguments[2])
        if what == "isinstance":
            return isinstance(arguments[1], target)
        if what == "op":
            return getattr(target, arguments[1])(*arguments[2])
        raise ValueError(f"unknown request {what[:40]!r}")

    def _permit(self, what: str, target: Any, arguments: list[Any]) -> None:
        """Raise PermissionError unless the program may do this to an object of the tests."""
        if not any(target is owned for owned in self._owned.values()):
            raise PermissionError("not an object of the tests")
        if what == "call" and callable(target):
            return
        ours = type(target).__module__ == "test_solution" and not isinstance(target, (type, types.FunctionType))
        public = not str(arguments[1]).startswith("_")
        if not ours or (what in ("attr", "set") and not public) or what not in ("attr", "set", "op"):
            raise PermissionError("the tests' objects are not the program's to inspect")
        if what == "op" and arguments[1] not in _SAFE_OPERATIONS:
            raise PermissionError("the tests' objects are not the program's to inspect")


_SAFE_OPERATIONS = frozenset(
    f"__{name}__"
    for name in ("len", "iter", "next", "getitem", "contains", "bool", "eq", "lt", "le", "gt", "ge", "hash")
)
