"""Python functions to the syntax tree.

The source of a module is parsed once; functions are found in it by their line, which
costs a fraction of what `inspect` does.  Whatever the kernel-side language lacks is
refused with its place.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Callable, NoReturn

from skep.compiler import tree
from skep.compiler.environment import SourceFunction
from skep.errors import CompileError, Span

if TYPE_CHECKING:
    import ast
else:
    import _ast as ast  # the nodes alone: what "ast" adds is not for each start

OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.USub: "-",
    ast.Invert: "~",
    ast.Not: "not",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is-not",
    ast.In: "in",
    ast.NotIn: "not-in",
    ast.And: "and",
    ast.Or: "or",
}

_OTHER_OPERATORS: dict[type, tuple[str, str]] = {
    ast.Pow: ("**", "a power of two is '1 << n'"),
    ast.MatMult: ("@", ""),
}

_modules: dict[str, _Module] = {}
_functions: dict[SourceFunction, tree.Function] = {}


class _Module:
    """The parsed source of one module, its functions by line of definition."""

    def __init__(self, file: str, source: str) -> None:
        self.file = file
        self.lines = source.split("\n")  # as ast counts lines, unlike splitlines
        self.functions: dict[int, ast.FunctionDef] = {}
        flags = ast.PyCF_ONLY_AST
        module: Any = compile(source, file, "exec", flags, dont_inherit=True)
        for node in _definitions(module.body):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            self.functions[first] = node

    def span(self, node: ast.AST) -> Span:
        """Where a node stands, up to the end of its first line."""
        line: int = getattr(node, "lineno", 1)
        text = self.lines[line - 1]
        start, end = _characters(text, getattr(node, "col_offset", 0)), len(text)
        if getattr(node, "end_lineno", line) == line:
            end = _characters(text, getattr(node, "end_col_offset", end))
        return Span(self.file, line, start, end, text)


def _definitions(statements: Iterable[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The functions in statements and in what is within these."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            yield statement
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            within = getattr(statement, part, None)
            if within:
                yield from _definitions(within)


def _characters(text: str, offset: int) -> int:
    """How many characters the first `offset` bytes of UTF-8 are."""
    if text.isascii():
        return offset
    return len(text.encode()[:offset].decode("utf-8", "replace"))


def function_tree(function: SourceFunction) -> tree.Function:
    """The syntax tree of a Python function.

    Raises CompileError for constructs outside the kernel-side language, and when the
    source of the function cannot be found.
    """
    found = _functions.get(function)
    if found is None:
        module = _module_of(function)
        node = module.functions.get(function.__code__.co_firstlineno)
        if node is None:
            raise CompileError(
                f"the source of {function.__name__}() is not in {module.file}",
                hint="kernel-side code must be a plain 'def' in a module's source",
            )
        found = _Reader(module).function(node)
        _functions[function] = found
    return found


def parse(source: str, file: str) -> dict[str, tree.Function]:
    """The syntax trees of all functions in a source text, by name.

    `file` is what messages call the text.  Raises CompileError as `function_tree` does.
    """
    module = _Module(file, source)
    reader = _Reader(module)
    return {node.name: reader.function(node) for node in module.functions.values()}


def _module_of(function: SourceFunction) -> _Module:
    file = function.__code__.co_filename
    module = _modules.get(file)
    if module is None:
        source = _source_of(function)
        if source is None:
            raise CompileError(
                f"the source of {function.__name__}() is not available ({file})",
                hint="kernel-side code is compiled from source: define it in a file",
            )
        module = _modules[file] = _Module(file, source)
    return module


def _source_of(function: SourceFunction) -> str | None:
    """The source of a function's file, or what the loader of its module has.

    A module's loader would read the file, too, but imports `tokenize` for it; it is
    needed for modules in a zip file.
    """
    try:
        with open(function.__code__.co_filename, encoding="utf-8") as file:
            return file.read()
    except OSError:
        owner = sys.modules.get(function.__module__)
        get_source = getattr(getattr(owner, "__loader__", None), "get_source", None)
        return get_source(function.__module__) if get_source else None


class _Reader:
    """Turns the nodes of one module's functions into ours."""

    def __init__(self, module: _Module) -> None:
        self.span = module.span

    def refuse(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        raise CompileError(f"{what} in kernel-side code", self.span(node), hint=hint)

    def function(self, node: ast.FunctionDef) -> tree.Function:
        spec = node.args
        if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.posonlyargs:
            self.refuse(node, "only plain parameters are allowed")
        return tree.Function(
            node.name,
            [parameter.arg for parameter in spec.args],
            [self.expression(default) for default in spec.defaults],
            self.block(node.body, docstring=True),
            self.span(node),
        )

    def block(
        self, body: Sequence[ast.stmt], docstring: bool = False
    ) -> Sequence[tree.Statement]:
        if docstring and _is_docstring(body[0]):
            body = body[1:]
        return [self.statement(s) for s in body if not isinstance(s, ast.Pass)]

    def statement(self, node: ast.stmt) -> tree.Statement:
        read = _STATEMENTS.get(type(node))
        if read is None:
            self.refuse(node, f"{_describe(node)} is not allowed")
        return read(self, node)

    def expression(self, node: ast.expr) -> tree.Expression:
        read = _EXPRESSIONS.get(type(node))
        if read is None:
            self.refuse(node, f"{_describe(node)} is not allowed")
        return read(self, node)

    def assign(self, node: ast.Assign) -> tree.Statement:
        if len(node.targets) != 1:
            self.refuse(node, "an assignment to several targets is not allowed")
        target = self.target(node.targets[0])
        return tree.Assign(target, self.expression(node.value), self.span(node))

    def augment(self, node: ast.AugAssign) -> tree.Statement:
        return tree.Augment(
            self.target(node.target),
            self.operator(node.op, node),
            self.expression(node.value),
            self.span(node),
        )

    def target(self, node: ast.expr) -> tree.Expression:
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            self.refuse(node, f"assignment to {_describe(node)} is not allowed")
        return self.expression(node)

    def evaluate(self, node: ast.Expr) -> tree.Statement:
        value = self.expression(node.value)
        if not isinstance(node.value, ast.Call):
            self.refuse(node, "an expression without effect is not allowed")
        return tree.Evaluate(value, self.span(node))

    def if_(self, node: ast.If) -> tree.Statement:
        return tree.If(
            self.expression(node.test),
            self.block(node.body),
            self.block(node.orelse),
            self.span(node),
        )

    def for_(self, node: ast.For) -> tree.Statement:
        call = node.iter
        if node.orelse:
            self.refuse(node.orelse[0], "'else' of a loop is not allowed")
        if not isinstance(node.target, ast.Name):
            self.refuse(node.target, "a loop needs one plain name")
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "range"
            and 1 <= len(call.args) <= 3
            and not call.keywords
        ):
            self.refuse(
                call,
                "'for' over anything but range() is not allowed",
                "write 'for i in range(CONSTANT):'",
            )
        bounds = [self.expression(argument) for argument in call.args]
        zero, one = (tree.Literal(n, self.span(call)) for n in (0, 1))
        if len(bounds) == 1:
            bounds = [zero, *bounds]
        start, stop, step = [*bounds, one][:3]
        body = self.block(node.body)
        return tree.For(node.target.id, start, stop, step, body, self.span(node))

    def while_(self, node: ast.While) -> tree.Statement:
        if node.orelse:
            self.refuse(node.orelse[0], "'else' of a loop is not allowed")
        return tree.While(
            self.expression(node.test), self.block(node.body), self.span(node)
        )

    def return_(self, node: ast.Return) -> tree.Statement:
        value = self.expression(node.value) if node.value else None
        return tree.Return(value, self.span(node))

    def name(self, node: ast.Name) -> tree.Expression:
        return tree.Name(node.id, self.span(node))

    def literal(self, node: ast.Constant) -> tree.Expression:
        if not isinstance(node.value, (int, bytes, str, type(None))):
            self.refuse(node, f"a {type(node.value).__name__} is not allowed")
        return tree.Literal(node.value, self.span(node))

    def unary(self, node: ast.UnaryOp) -> tree.Expression:
        operator = self.operator(node.op, node)
        return tree.Unary(operator, self.expression(node.operand), self.span(node))

    def binary(self, node: ast.BinOp) -> tree.Expression:
        return tree.Binary(
            self.operator(node.op, node),
            self.expression(node.left),
            self.expression(node.right),
            self.span(node),
        )

    def operator(self, operator: ast.AST, node: ast.AST) -> str:
        if isinstance(operator, ast.Div):
            self.refuse(
                node,
                "'/' is not allowed",
                "the kernel has no fractions; integer division is '//'",
            )
        text = OPERATORS.get(type(operator))
        if text is None:
            spelling, hint = _OTHER_OPERATORS[type(operator)]
            self.refuse(node, f"'{spelling}' is not allowed", hint)
        return text

    def compare(self, node: ast.Compare) -> tree.Expression:
        """`a < b < c` becomes `a < b and b < c`."""
        span = self.span(node)
        tests: list[tree.Expression] = []
        left = self.expression(node.left)
        for index, operand in enumerate(node.comparators, 1):
            text = self.operator(node.ops[index - 1], node)
            is_last = index == len(node.ops)
            if text in ("in", "not-in") and isinstance(operand, ast.Tuple):
                if not is_last:
                    self.refuse(
                        operand, "another comparison behind 'in (…)' is not allowed"
                    )
                tests.append(self.among(text, left, operand, span))
                continue
            right = self.expression(operand)
            if not is_last:
                right = _shared(right)
            tests.append(tree.Compare(text, left, right, span))
            left = right
        return tests[0] if len(tests) == 1 else tree.BoolOp("and", tests, span)

    def among(
        self, operator: str, value: tree.Expression, right: ast.Tuple, span: Span
    ) -> tree.Expression:
        """`x in (a, b)` becomes `x == a or x == b`."""
        if len(right.elts) < 2:
            self.refuse(right, "'in' with less than two values is not allowed")
        value = _shared(value)
        single, joint = ("==", "or") if operator == "in" else ("!=", "and")
        tests = [
            tree.Compare(single, value, self.expression(element), span)
            for element in right.elts
        ]
        return tree.BoolOp(joint, tests, span)

    def bool_op(self, node: ast.BoolOp) -> tree.Expression:
        operands = [self.expression(value) for value in node.values]
        return tree.BoolOp(self.operator(node.op, node), operands, self.span(node))

    def conditional(self, node: ast.IfExp) -> tree.Expression:
        return tree.Conditional(
            self.expression(node.test),
            self.expression(node.body),
            self.expression(node.orelse),
            self.span(node),
        )

    def attribute(self, node: ast.Attribute) -> tree.Expression:
        return tree.Attribute(self.expression(node.value), node.attr, self.span(node))

    def index(self, node: ast.Subscript) -> tree.Expression:
        if isinstance(node.slice, ast.Slice):
            self.refuse(node, "a slice is not allowed")
        index = self.expression(node.slice)
        return tree.Index(self.expression(node.value), index, self.span(node))

    def call(self, node: ast.Call) -> tree.Expression:
        keywords = []
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse(node, "'**' is not allowed")
            keywords.append((keyword.arg, self.expression(keyword.value)))
        arguments = [self.expression(argument) for argument in node.args]
        function = self.expression(node.func)
        return tree.Call(function, arguments, keywords, self.span(node))


def _shared(expression: tree.Expression) -> tree.Expression:
    """The expression for several places; what does nothing is as good twice."""
    if isinstance(expression, (tree.Name, tree.Literal, tree.Shared)):
        return expression
    return tree.Shared(expression, expression.span)


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _describe(node: ast.AST) -> str:
    """What a user would call the construct."""
    names = {
        "With": "'with'",
        "Try": "'try'",
        "Raise": "'raise'",
        "Lambda": "'lambda'",
        "JoinedStr": "an f-string",
        "ListComp": "a comprehension",
        "FunctionDef": "a nested function",
        "ClassDef": "a class",
        "AnnAssign": "an annotated assignment",
        "Global": "'global'",
        "Nonlocal": "'nonlocal'",
        "Import": "'import'",
        "ImportFrom": "'import'",
        "Assert": "'assert'",
        "Delete": "'del'",
        "NamedExpr": "':='",
        "Yield": "'yield'",
        "Await": "'await'",
        "Starred": "'*'",
        "List": "a list",
        "Tuple": "a tuple",
        "Dict": "a dictionary",
        "Set": "a set",
    }
    kind = type(node).__name__
    return names.get(kind, f"this construct ({kind})")


_STATEMENTS: dict[type, Callable[..., tree.Statement]] = {
    ast.Assign: _Reader.assign,
    ast.AugAssign: _Reader.augment,
    ast.Expr: _Reader.evaluate,
    ast.If: _Reader.if_,
    ast.For: _Reader.for_,
    ast.While: _Reader.while_,
    ast.Return: _Reader.return_,
    ast.Break: lambda reader, node: tree.Break(reader.span(node)),
    ast.Continue: lambda reader, node: tree.Continue(reader.span(node)),
}

_EXPRESSIONS: dict[type, Callable[..., tree.Expression]] = {
    ast.Name: _Reader.name,
    ast.Constant: _Reader.literal,
    ast.UnaryOp: _Reader.unary,
    ast.BinOp: _Reader.binary,
    ast.Compare: _Reader.compare,
    ast.BoolOp: _Reader.bool_op,
    ast.IfExp: _Reader.conditional,
    ast.Attribute: _Reader.attribute,
    ast.Subscript: _Reader.index,
    ast.Call: _Reader.call,
}
