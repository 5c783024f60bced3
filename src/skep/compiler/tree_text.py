"""The syntax tree as text, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Callable

from skep.compiler import tree

_Line = tuple[int, str]


def function_text(function: tree.Function) -> str:
    """A function with a statement on each line, the line of its source in front.

    It reads as the Python that it was, but every operation is in parentheses: the text
    shows what the compiler understood.
    """
    lines = [(function.span.line, _head(function)), *_block(function.body, 1)]
    return "\n".join(f"{number:5}  {text}" for number, text in lines)


def _head(function: tree.Function) -> str:
    plain = len(function.parameters) - len(function.defaults)
    parameters = list(function.parameters[:plain])
    parameters += [
        f"{name}={_text(default)}"
        for name, default in zip(function.parameters[plain:], function.defaults)
    ]
    return f"def {function.name}({', '.join(parameters)}):"


def _block(body: Sequence[tree.Statement], depth: int) -> Iterator[_Line]:
    for statement in body:
        yield statement.span.line, "    " * depth + _first_line(statement)
        if isinstance(statement, (tree.If, tree.For, tree.While)):
            yield from _block(statement.body, depth + 1)
        if isinstance(statement, tree.If) and statement.orelse:
            yield statement.orelse[0].span.line, "    " * depth + "else:"
            yield from _block(statement.orelse, depth + 1)


def _first_line(statement: tree.Statement) -> str:
    return _STATEMENTS[type(statement)](statement)


def _for(node: tree.For) -> str:
    bounds = ", ".join(map(_text, (node.start, node.stop, node.step)))
    return f"for {node.name} in range({bounds}):"


def _augment(node: tree.Augment) -> str:
    return f"{_text(node.target)} {node.operator}= {_text(node.value)}"


def _return(node: tree.Return) -> str:
    return "return" if node.value is None else f"return {_text(node.value)}"


_STATEMENTS: dict[type, Callable[[Any], str]] = {
    tree.Assign: lambda node: f"{_text(node.target)} = {_text(node.value)}",
    tree.Augment: _augment,
    tree.Evaluate: lambda node: _text(node.value),
    tree.If: lambda node: f"if {_text(node.test)}:",
    tree.For: _for,
    tree.While: lambda node: f"while {_text(node.test)}:",
    tree.Break: lambda node: "break",
    tree.Continue: lambda node: "continue",
    tree.Return: _return,
}


def expression_text(expression: tree.Expression) -> str:
    """An expression with every operation in parentheses."""
    return _text(expression)


def _text(expression: tree.Expression) -> str:
    return _EXPRESSIONS[type(expression)](expression)


def _infix(node: tree.Binary | tree.Compare | tree.CBinary) -> str:
    operator = node.operator.replace("is-not", "is not").replace("not-in", "not in")
    return f"({_text(node.left)} {operator} {_text(node.right)})"


def _unary(node: tree.Unary | tree.CUnary) -> str:
    space = " " if node.operator == "not" else ""
    return f"({node.operator}{space}{_text(node.operand)})"


def _bool_op(node: tree.BoolOp) -> str:
    return f"({f' {node.operator} '.join(map(_text, node.operands))})"


def _conditional(node: tree.Conditional) -> str:
    body, test, orelse = map(_text, (node.body, node.test, node.orelse))
    return f"({body} if {test} else {orelse})"


def _call(node: tree.Call) -> str:
    arguments = [_text(argument) for argument in node.arguments]
    arguments += [f"{name}={_text(value)}" for name, value in node.keywords]
    return f"{_text(node.function)}({', '.join(arguments)})"


def _c_conditional(node: tree.CConditional) -> str:
    test, body, orelse = map(_text, (node.test, node.body, node.orelse))
    return f"({test} ? {body} : {orelse})"


def _c_sizeof(node: tree.CSizeof) -> str:
    operand = node.operand
    return f"sizeof({operand if isinstance(operand, str) else _text(operand)})"


_EXPRESSIONS: dict[type, Callable[[Any], str]] = {
    tree.Name: lambda node: str(node.id),
    tree.Literal: lambda node: repr(node.value),
    tree.Unary: _unary,
    tree.Binary: _infix,
    tree.Compare: _infix,
    tree.BoolOp: _bool_op,
    tree.Conditional: _conditional,
    tree.Shared: lambda node: _text(node.value),
    tree.Attribute: lambda node: f"{_text(node.value)}.{node.name}",
    tree.Index: lambda node: f"{_text(node.value)}[{_text(node.index)}]",
    tree.Call: _call,
    tree.CLiteral: lambda node: str(node.value),
    tree.CUnary: _unary,
    tree.CBinary: _infix,
    tree.CConditional: _c_conditional,
    tree.CCast: lambda node: f"(({node.type}) {_text(node.operand)})",
    tree.CMember: lambda node: f"{_text(node.value)}{node.operator}{node.name}",
    tree.CIndex: lambda node: f"{_text(node.value)}[{_text(node.index)}]",
    tree.CSizeof: _c_sizeof,
    tree.CCall: lambda n: f"{n.name}({', '.join(map(_text, n.arguments))})",
}
