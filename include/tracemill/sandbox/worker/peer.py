"""Two processes that call each other's objects: the test file on one side, the program on the other.

The side that asks trusts nothing it is told: a handle equals no literal, and what the program may do to the tests' own
objects is limited to calling the functions and using the public attributes that it was handed, so that it can not look
for the answers.
"""

import json
import struct
import sys
import types
from collections.abc import Callable
from typing import Any

from .frames import read_exactly, to_json, write_all
from .proxy import Proxy
from .values import Values, update_in_place

_LENGTH = struct.Struct("<I")
MESSAGE_BYTES = 16 << 20
_LENT_ITEMS = 1000  # containers among attributes that are watched for changes
_LENT_AT_ONCE = 64


class PeerGone(BaseException):
    """The other side ended; no test may catch this and go on."""


class Peer(Values):
    """One end of the conversation over the stream `fd`. `serve_name` answers requests that are about no handle."""

    def __init__(self, fd: int, guarded: bool, serve_name: Callable[[str, list[Any]], Any]) -> None:
        super().__init__()
        self._fd = fd
        self._guarded = guarded
        self._serve_name = serve_name
        self.output: Callable[[], str] = str
        self.bereft: Callable[[], object] = int  # called when the other side is gone, before PeerGone is raised
        self.doubts = 0  # results that only the program itself can compare
        self._names: dict[int, str] = {}
        self._lent: dict[tuple[Any, str], tuple[Any, str]] = {}

    def _lost(self, why: str) -> PeerGone:
        self.bereft()
        return PeerGone(why)

    def _read(self) -> list[Any]:
        try:
            (size,) = _LENGTH.unpack(read_exactly(self._fd, _LENGTH.size))
            if size > MESSAGE_BYTES:
                raise self._lost("a message is too large")
            message = json.loads(read_exactly(self._fd, size))
        except (EOFError, OSError, ValueError, RecursionError):
            raise self._lost("the other side is gone") from None
        if type(message) is not list or not message:
            raise self._lost("not a message")
        return message

    def _write(self, message: list[Any]) -> None:
        data = to_json(message).encode()
        if len(data) > MESSAGE_BYTES:
            raise ValueError("a value is too large to travel")
        try:
            write_all(self._fd, _LENGTH.pack(len(data)) + data)
        except OSError:  # as an ordinary error a test could catch it, and its file would seem to have been run
            raise self._lost("the other side is gone") from None

    def called_as(self, value: Any, name: str) -> None:
        """Note the name under which the tests came by an object of the program's."""
        if isinstance(value, Proxy):
            self._names[object.__getattribute__(value, "_remote_number")] = name

    def _makes_objects(self, target: Any) -> bool:
        """Return whether what is called is a class by its name, so that objects are what the tests expect of it."""
        number = object.__getattribute__(target, "_remote_number") if isinstance(target, Proxy) else None
        return self._names.get(number, "").lstrip("_")[:1].isupper() if number is not None else False

    def request(self, what: str, *arguments: Any) -> Any:
        """Ask the other side, serving its requests meanwhile; returns its value or raises its exception."""
        if self._lent:
            self._give_back()
        known = len(self.proxies)
        value = self._asked(what, *arguments)
        if what == "call" and len(self.proxies) > known and not self._makes_objects(arguments[0]):
            self.doubts += 1
        elif what == "attr":
            self.called_as(value, str(arguments[1]))
            if type(value) in (list, dict, set) and len(value) < _LENT_ITEMS:
                self._lend(arguments[0], str(arguments[1]), value)
        return value

    def _lend(self, owner: Any, name: str, value: Any) -> None:
        """Watch a container that travelled by value; the oldest are forgotten."""
        self._lent[(owner, name)] = (value, json.dumps(self.encode(value)))
        if len(self._lent) > _LENT_AT_ONCE:
            self._lent.pop(next(iter(self._lent)))

    def _give_back(self) -> None:
        """Tell the owner what was changed in the containers among its attributes, which travelled by value."""
        for (owner, name), (value, before) in list(self._lent.items()):
            now = json.dumps(self.encode(value))
            if now != before:
                self._lent[(owner, name)] = (value, now)
                self._asked("fill", owner, name, value)

    def _asked(self, what: str, *arguments: Any) -> Any:
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
            word = "raise"
            body = self.failures.describe(error, self.encode, self.failure_class, True)
        self._write(["a", word, body, self._changes(arguments, before), self.output()])

    def _body(self, what: str, value: Any, arguments: list[Any]) -> tuple[str, Any]:
        for at, argument in enumerate(self._containers(arguments)):
            if value is argument:
                return "same", at
        self.whole = what == "call" and isinstance(arguments[0], type)
        try:
            return "ok", self.encode(value)
        finally:
            self.whole = False

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
        if what == "fill":
            return update_in_place(getattr(target, arguments[1]), arguments[2]) and None
        if what == "isinstance":
            return isinstance(arguments[1], target)
        if what == "op":
            return getattr(target, arguments[1])(*arguments[2])
        raise ValueError(f"unknown request {what[:40]!r}")

    def _permit(self, what: str, target: Any, arguments: list[Any]) -> None:
        """Raise PermissionError unless the program may do this to an object of the tests."""
        if not any(target is owned for owned in self.owned.values()):
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
