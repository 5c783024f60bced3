"""Running kernel-side source as Python, on the numbers of `model`.

Operators are overloaded; what overloading cannot see (`and`, `not`, `x if c else y`,
assignment, `while`, `return`) is rewritten into calls of the methods of `Run`.  A
function must say what it returns: `def f(a, b) -> "u32":`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

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
        return _call("truth", node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return _call("select", node.test, node.body, node.orelse)

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
        assert node.value is not None
        node.value = _call("returned", ast.Constant(self.returned), node.value)
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


class Run:
    """What the rewritten source calls, and the ledger."""

    def __init__(self) -> None:
        self.losses = dict.fromkeys(LEDGER_CAUSES, 0)

    def lose(self, cause: str) -> None:
        self.losses[cause] += 1

    def truth(self, value: object) -> Number:
        return Number(int(bool(value)), BOOL)

    def select(self, test: object, body: Operand, orelse: Operand) -> Operand:
        return self._as(
            merged([kind_of(body), kind_of(orelse)]), body if test else orelse
        )

    def _as(self, kind: object, value: Operand) -> Operand:
        return value if isinstance(kind, int) else Number(plain(value), kind)  # type: ignore[arg-type]

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

    def returned(self, type_: str, value: Operand) -> Operand:
        return Number(plain(value), BOOL if type_ == "bool" else TYPES[type_])


def load(source: str, run: Run, names: Mapping[str, object]) -> dict[str, Any]:
    """The functions of a source text, for which `names` are global."""
    rewritten = ast.fix_missing_locations(_Rewriter().visit(ast.parse(source)))
    space: dict[str, Any] = {**names, "_run": run}
    exec(compile(rewritten, "<model>", "exec"), space)
    return space
