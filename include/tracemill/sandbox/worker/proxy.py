"""Stand-ins for objects of another process, and exceptions rebuilt from it."""

import builtins
from collections.abc import Callable
from typing import Any


class Proxy:
    """An object that lives in the other process; what is done to it is done there.

    It equals another stand-in when its owner says exactly True, and never a literal.
    """

    __slots__ = ("_remote_name", "_remote_number", "_remote_peer")

    def __init__(self, peer: Any, number: int, name: str) -> None:
        for slot, value in (("_remote_peer", peer), ("_remote_number", number), ("_remote_name", name)):
            object.__setattr__(self, slot, value)

    def __getattr__(self, name: str) -> Any:
        return _ask(self, "attr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "set", name, value)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return _ask(self, "call", arguments, named)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Proxy) and _ask(self, "op", "__eq__", [other]) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(("proxy", object.__getattribute__(self, "_remote_number")))

    def __bool__(self) -> bool:
        for name in ("__bool__", "__len__"):
            try:
                return bool(_ask(self, "op", name, []))
            except AttributeError:
                continue
        return True

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Proxy) and _ask(self, "isinstance", instance) is True


def _ask(proxy: Proxy, what: str, *arguments: Any) -> Any:
    return object.__getattribute__(proxy, "_remote_peer").request(what, proxy, *arguments)


def _forward(name: str) -> Callable[..., Any]:
    def method(self: Proxy, *arguments: Any) -> Any:
        return _ask(self, "op", name, list(arguments))

    return method


def _compare(name: str) -> Callable[..., Any]:
    def method(self: Proxy, other: Any) -> Any:
        return _ask(self, "op", name, [other]) is True if isinstance(other, Proxy) else NotImplemented

    return method


for _name in ("len", "iter", "next", "getitem", "setitem", "delitem", "contains", "str", "repr", "enter", "exit"):
    setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))
for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "neg",
    "abs",
    "int",
    "float",
    "matmul",
    "and",
    "or",
):
    setattr(Proxy, f"__{_name}__", _forward(f"__{_name}__"))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Proxy, f"__{_name}__", _compare(f"__{_name}__"))


class RemoteFailures:
    """Rebuilds the other side's exceptions: builtin ones as themselves, its own as classes of the same names."""

    def __init__(self) -> None:
        self._kinds: dict[int, type[BaseException]] = {}

    def kind(self, chain: list[Any], base: str) -> type[BaseException]:
        """Return the class for `chain`, most derived [number, name] first, over the builtin `base`."""
        found = getattr(builtins, str(base), Exception)
        kind = found if isinstance(found, type) and issubclass(found, BaseException) else Exception
        for number, name in reversed(chain):
            if int(number) not in self._kinds:
                self._kinds[int(number)] = type(str(name), (kind,), {})
            kind = self._kinds[int(number)]
        return kind

    def describe(
        self,
        error: BaseException,
        encode: Callable[[Any], Any],
        kind: Callable[[type[BaseException]], Any],
        deep: bool = False,
    ) -> dict[str, Any]:
        """Return `error` for the wire, `deep` with the exception that it was raised from."""
        try:
            text = str(error)
        except Exception:  # noqa: BLE001 - a program's own __str__ may do anything
            text = ""
        told = {"kind": kind(type(error)), "args": encode(list(error.args)), "text": text, "vars": encode(vars(error))}
        cause = error.__cause__
        return {**told, "cause": self.describe(cause, encode, kind)} if cause is not None and deep else told

    def rebuild(self, data: Any, decode: Callable[[Any], Any]) -> BaseException:
        """Return the exception that `data` describes."""
        kind = decode(data["kind"])
        if not issubclass(kind, (Exception, SystemExit)):
            kind = RuntimeError
        error: BaseException = kind.__new__(kind)
        error.args = tuple(decode(data["args"]))
        if str(error) != data["text"]:
            error.args = (data["text"],)
        for name, value in decode(data["vars"]).items():
            if isinstance(name, str) and not name.startswith("__"):
                vars(error)[name] = value
        if "cause" in data:
            error.__cause__ = self.rebuild(data["cause"], decode)
        return error
