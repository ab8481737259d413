"""Follows names in a test source to the expressions they take their values from, and to the program under test.

The analysis is by name and ignores the order of statements: it may see more than there is, so what it finds is used to
choose which constants a control run changes, never to decide what a program is worth.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Key = tuple[int, str]  # the scope (id of its function or class, 0 for the file) and the name in it

# What the tests look at instead of a returned value, once the program has run.
_WITNESSES = frozenset(("capsys", "capfd", "capsysbinary", "caplog", "recwarn", "mocker"))
_RECORDERS = frozenset(("StringIO", "BytesIO", "Mock", "MagicMock", "AsyncMock", "patch", "raises", "warns"))
_RECORDERS_MORE = frozenset(("assertRaises", "assertRaisesRegex", "assertWarns", "assertLogs", "catch_warnings"))


@dataclass(frozen=True)
class Binding:
    """`name` takes the value of `value`, read in `scope`; `path` None, or the place within each element of it."""

    value: ast.expr
    scope: int
    path: tuple[int, ...] | None = None


def name_of(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _targets(target: ast.expr, path: tuple[int, ...] = ()) -> Iterator[tuple[ast.expr, tuple[int, ...]]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for at, part in enumerate(target.elts):
            yield from _targets(part, (*path, at))
    else:
        yield target, path


def parameter_names(call: ast.Call) -> list[str]:
    """Return the names that a `parametrize` decorator gives values to."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return [name.strip() for name in first.value.split(",") if name.strip()]
    if isinstance(first, (ast.Tuple, ast.List)):
        return [item.value for item in first.elts if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    return []


def parametrizations(function: FunctionNode) -> list[ast.Call]:
    """Return the `parametrize` decorators of a test that name their values."""
    calls = [node for node in function.decorator_list if isinstance(node, ast.Call)]
    return [call for call in calls if name_of(call.func) == "parametrize" and len(call.args) >= 2]


class Bindings:
    """Where the names of one test source come from. `program` holds the names under which it knows the program."""

    def __init__(self, tree: ast.Module, program: Sequence[str]) -> None:
        self.functions: dict[str, list[FunctionNode]] = defaultdict(list)
        self.scope_of: dict[ast.AST, int] = {}
        self._class_of: dict[int, int] = {}
        self._bound: dict[Key, list[Binding]] = defaultdict(list)
        self._tainted: set[Key] = {(0, name) for name in program}
        self._program = frozenset(program)
        self._index(tree, 0, 0)
        for node in list(self.scope_of):
            self._bind(node)
        self._spread()

    # -- what is bound to what

    def _index(self, node: ast.AST, scope: int, owner: int) -> None:
        for child in ast.iter_child_nodes(node):
            self.scope_of[child] = scope
            inner = scope
            family = owner
            if isinstance(child, FunctionNode):
                self.functions[child.name].append(child)
                inner = id(child)
                self._class_of[inner] = owner
            elif isinstance(child, ast.ClassDef):
                inner = family = id(child)
                self._class_of[inner] = family
            self._index(child, inner, family)

    def _key(self, target: ast.expr, scope: int) -> Key | None:
        if isinstance(target, ast.Name):
            return scope, target.id
        if (
            isinstance(target, ast.Attribute)
            and isinstance(target.value, ast.Name)
            and target.value.id in ("self", "cls")
        ):
            return self._class_of.get(scope, 0), target.attr
        return None

    def _add(self, target: ast.expr, scope: int, value: ast.expr, elements: bool) -> None:
        for one, path in _targets(target):
            key = self._key(one, scope)
            if key is not None:
                self._bound[key].append(Binding(value, scope, path if elements or path else None))

    def _bind(self, node: ast.AST) -> None:
        scope = self.scope_of[node]
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, scope, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            self._add(node.target, scope, node.value, False)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._add(node.target, scope, node.iter, True)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._add(node.optional_vars, scope, node.context_expr, False)
        elif isinstance(node, FunctionNode):
            self._bind_parameters(node)
        elif isinstance(node, ast.Call):
            self._bind_arguments(node, scope)

    def _assign(self, target: ast.expr, scope: int, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for one, part in zip(target.elts, value.elts, strict=True):
                self._add(one, scope, part, False)
        elif isinstance(target, ast.Tuple):
            for one in target.elts:
                self._add(one, scope, value, False)
        else:
            self._add(target, scope, value, False)

    def _bind_parameters(self, function: FunctionNode) -> None:
        """Parameters take their defaults, the values of `parametrize`, and what a fixture of their name returns."""
        scope = id(function)
        given = function.args.args
        for argument, default in zip(reversed(given), reversed(function.args.defaults), strict=False):
            self._bound[(scope, argument.arg)].append(Binding(default, self.scope_of[function]))
        for call in parametrizations(function):
            names = parameter_names(call)
            for at, name in enumerate(names):
                path = (at,) if len(names) > 1 else ()
                self._bound[(scope, name)].append(Binding(call.args[1], self.scope_of[function], path))
        for argument in given:
            for fixture in self.functions.get(argument.arg, ()):
                for node in ast.walk(fixture):
                    if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
                        self._bound[(scope, argument.arg)].append(Binding(node.value, id(fixture)))

    def _bind_arguments(self, call: ast.Call, scope: int) -> None:
        """The parameters of the file's own functions take what they are called with."""
        for function in self.functions.get(name_of(call.func), ()):
            names = [argument.arg for argument in function.args.args]
            if names[:1] == ["self"]:
                names = names[1:]
            given = [*zip(names, call.args, strict=False), *((w.arg, w.value) for w in call.keywords if w.arg)]
            for name, value in given:
                self._bound[(id(function), str(name))].append(Binding(value, scope))

    def of(self, node: ast.expr, scope: int) -> list[Binding]:
        """Return what a name, or an attribute of `self`, is bound to."""
        key = self._resolved(node, scope)
        return self._bound.get(key, []) if key is not None else []

    def _resolved(self, node: ast.expr, scope: int) -> Key | None:
        key = self._key(node, scope)
        if key is None or key in self._bound or key in self._tainted:
            return key
        return (0, key[1]) if isinstance(node, ast.Name) else key

    # -- what comes from the program

    def _spread(self) -> None:
        """Mark every name whose value depends on the program, until nothing more is found."""
        before = -1
        while before != len(self._tainted):
            before = len(self._tainted)
            for key, bindings in self._bound.items():
                if key not in self._tainted and any(self._depends(one) for one in bindings):
                    self._tainted.add(key)

    def _depends(self, binding: Binding) -> bool:
        value = binding.value
        if binding.path and isinstance(value, ast.Call) and name_of(value.func) == "zip":
            at = binding.path[0]
            return at < len(value.args) and self.tainted(value.args[at], binding.scope)
        if binding.path and isinstance(value, ast.Call) and name_of(value.func) == "enumerate" and binding.path[0] == 0:
            return False
        return self.tainted(value, binding.scope)

    def tainted(self, node: ast.AST, scope: int) -> bool:
        """Return whether the value of `node` depends on the program or on what it left behind."""
        return any(self._says(inner, scope) for inner in ast.walk(node))

    def _says(self, node: ast.AST, scope: int) -> bool:
        if isinstance(node, ast.Call) and name_of(node.func) in (_RECORDERS | _RECORDERS_MORE):
            return True
        if isinstance(node, ast.Call) and self.is_helper(node):
            return any(self._uses_program(function) for function in self.functions[name_of(node.func)])
        if isinstance(node, ast.Name):
            return node.id in _WITNESSES or self._resolved(node, scope) in self._tainted
        return isinstance(node, ast.Attribute) and self._resolved(node, scope) in self._tainted

    def _uses_program(self, function: FunctionNode) -> bool:
        return any(isinstance(node, ast.Name) and node.id in self._program for node in ast.walk(function))

    def is_helper(self, call: ast.Call) -> bool:
        """Return whether a call is of a function of the test file itself."""
        return name_of(call.func) in self.functions and name_of(call.func) not in self._program

    def is_program_call(self, call: ast.Call, scope: int) -> bool:
        """Return whether a call runs code of the program: one of its functions, or a method of its objects."""
        return not self.is_helper(call) and self.tainted(call.func, scope)
