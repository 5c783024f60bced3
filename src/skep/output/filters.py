"""Conditions on records that are decided in user space."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from skep.errors import InternalError
from skep.fields.base import Context
from skep.named_tuple import NamedTuple
from skep.output.code import Code
from skep.output.record_types import RecordType
from skep.output.value_rows import value_of


class Filter(NamedTuple):
    """A condition that a record must meet to be shown.

    `source` is a Python expression over the names of members, which stand for their
    values (text as str, None where it could not be read), and over `constants`, such as
    `name in comm` with {"name": "ssh"}.
    """

    source: str
    constants: Mapping[str, Any] = {}


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
