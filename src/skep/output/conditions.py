"""The conditions on records as code; imported only for a run that has some."""

from __future__ import annotations

import ast

from skep.errors import InternalError
from skep.fields.base import Context
from skep.output.code import Code
from skep.output.filters import Filter
from skep.output.record_types import RecordType
from skep.output.value_rows import value_of


def condition(code: Code, rule: Filter, record: RecordType, context: Context) -> str:
    """The filter as an expression over names that are private to the generated code.

    Raises InternalError for a name that is neither a member nor a constant.
    """
    tree = ast.parse(rule.source, mode="eval")
    return ast.unparse(_Names(code, rule, record, context).visit(tree))


class _Names(ast.NodeTransformer):
    """Replaces the names in a filter by what they stand for."""

    def __init__(
        self, code: Code, rule: Filter, record: RecordType, context: Context
    ) -> None:
        self.code = code
        self.rule = rule
        self.record = record
        self.context = context

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A constant becomes its bound name, a member the expression of its value."""
        if node.id in self.rule.constants:
            name = self.code.bind("constant", self.rule.constants[node.id])
            return ast.Name(name, ast.Load())
        for member in self.record.members:
            if member.name == node.id:
                source = value_of(self.code, member, self.context)
                return ast.parse(source, mode="eval").body
        raise InternalError(
            f"the filter {self.rule.source!r} uses {node.id!r}, "
            f"which is no member of {self.record.layout.name}"
        )
