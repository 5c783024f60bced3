"""Running kernel-side source as Python, on the numbers of `model`.

Operators are overloaded; what overloading cannot see (`and`, `not`, `x if c else y`,
assignment, `while`, `return`) is rewritten into calls of the methods of `Run`.  A
function must say what it returns: `def f(a, b) -> "u32":`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Callable

from skep.spec import LEDGER_CAUSES
from tests.differential.model import (
    BOOL,
    S64,
    TYPES,
    Number,
    Operand,
    Refused,
    kind_of,
    literal_type,
    merged,
    plain,
)

WHILE_LIMIT = 1024
"""Rounds after which a `while` is left."""


class Ended(Exception):
    """The program was left from within an expression."""


class _Rewriter(ast.NodeTransformer):
    """Source to source; `_run` is the Run."""

    def __init__(self) -> None:
        self.returned = ""
        self.loops = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        assert isinstance(node.returns, ast.Constant)
        self.returned = node.returns.value
        node.decorator_list = []
        self.generic_visit(node)
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        return _call("truth", node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return _call("truth", node) if isinstance(node.op, ast.Not) else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        operator, right = node.ops[0], node.comparators[0]
        found: ast.expr = node
        if isinstance(operator, (ast.Is, ast.IsNot)):
            found = _call("is_none", node.left)
        elif isinstance(operator, (ast.In, ast.NotIn)):
            # Of a tuple in the source no more is evaluated than needed.
            several = right.elts if isinstance(right, ast.Tuple) else [right]
            found = _call("is_among", node.left, *(_later(each) for each in several))
        if isinstance(operator, (ast.IsNot, ast.NotIn)):
            found = ast.UnaryOp(ast.Not(), found)
        return _call("truth", found)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("select", node.test, _later(node.body), _later(node.orelse))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return _call("truth", node) if isinstance(node.value, bool) else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        (target,) = node.targets
        if isinstance(target, ast.Name):
            node.value = _call("keep", _local(target.id), node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        left = ast.parse(ast.unparse(node.target), mode="eval").body
        value: ast.expr = ast.BinOp(left, node.op, node.value)
        if isinstance(node.target, ast.Name):
            value = _call("wrap", left, value)
        return ast.Assign([node.target], value)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if self.returned != "None":
            value = node.value or ast.Constant(0)
            node.value = _call("returned", ast.Constant(self.returned), value)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        assert isinstance(node.target, ast.Name)
        hidden = f"_round_{self._number()}"
        counter = _call("counter", _local(node.target.id), _name(hidden))
        node.body.insert(0, ast.Assign([node.target], counter))
        node.target = ast.Name(hidden, ast.Store())
        return node

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.generic_visit(node)
        hidden = f"_rounds_{self._number()}"
        start = ast.parse(f"{hidden} = 0").body
        limit = ast.parse(
            f"while 0:\n if {hidden} == {WHILE_LIMIT}:\n"
            f"  _run.lose('loop limit')\n  break\n {hidden} += 1"
        ).body[0]
        assert isinstance(limit, ast.While)
        node.body = limit.body + node.body
        return [*start, node]

    def _number(self) -> int:
        self.loops += 1
        return self.loops


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _local(name: str) -> ast.expr:
    return ast.parse(f"locals().get({name!r})", mode="eval").body


def _call(method: str, *arguments: ast.expr) -> ast.expr:
    function = ast.Attribute(_name("_run"), method, ast.Load())
    return ast.Call(function, list(arguments), [])


def _later(value: ast.expr) -> ast.expr:
    nothing = ast.arguments([], [], None, [], [], None, [])
    return ast.Lambda(nothing, value)


class Run:
    """What the rewritten source calls, and the ledger."""

    def __init__(self) -> None:
        self.losses = dict.fromkeys(LEDGER_CAUSES, 0)

    def lose(self, cause: str) -> None:
        self.losses[cause] += 1

    def truth(self, value: object) -> Number:
        return Number(int(bool(value)), BOOL)

    def is_none(self, pointer: object) -> bool:
        return pointer is None or (hasattr(pointer, "target") and not pointer)

    def is_among(self, value: Operand, *others: Callable[[], Any]) -> bool:
        found = False
        for other in others:
            several = other()
            if isinstance(several, (int, Number)):
                several = (several,)
            found = found or any(value == each for each in several)
            if found:
                break
        return found

    def select(
        self, test: object, body: Callable[[], Any], orelse: Callable[[], Any]
    ) -> Any:
        """One of two, of the type that both together have."""
        chosen, other = (body, orelse) if test else (orelse, body)
        value = chosen()
        if not isinstance(value, (int, Number)):
            return value
        kinds = [kind_of(value)]
        with suppress(AttributeError):  # of None, which the test asks for
            before = dict(self.losses)
            kinds.append(kind_of(other()))
            self.losses.update(before)
        kind = merged(kinds)
        return value if isinstance(kind, int) else Number(plain(value), kind)

    def keep(self, old: Any, new: Any) -> Any:
        """A value bound to a name, whose first value fixed its type."""
        if not isinstance(new, (int, Number)):
            return new
        if old is None:
            type_ = literal_type(new) if isinstance(new, int) else new.type
        else:
            type_ = old.type
            small = isinstance(new, Number) and new.type.bits <= type_.bits
            if not (small or type_.boolean or type_.holds(plain(new))):
                raise Refused(f"{type_} = {new}")
        return Number(plain(new), type_)

    def wrap(self, old: Number, new: Operand) -> Number:
        return Number(plain(new), old.type)

    def counter(self, old: Number | None, value: int) -> Number:
        return Number(value, S64 if old is None else old.type)

    def returned(self, type_: str, value: Any) -> Any:
        if type_ == "pointer":
            return value
        return Number(plain(value), BOOL if type_ == "bool" else TYPES[type_])


def load(source: str, run: Run, names: Mapping[str, object]) -> dict[str, Any]:
    """The functions of a source text, for which `names` are global."""
    rewritten = ast.fix_missing_locations(_Rewriter().visit(ast.parse(source)))
    space: dict[str, Any] = {**names, "_run": run}
    exec(compile(rewritten, "<model>", "exec"), space)
    return space
