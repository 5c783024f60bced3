"""One C expression to a syntax tree, by precedence climbing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, NoReturn

from skep.compiler import tree
from skep.errors import Span, UsageError, did_you_mean
from skep.frontends.cexpr import literals, types
from skep.frontends.cexpr.lexer import ASSIGNING, Place, Token, tokens_of
from skep.named_tuple import NamedTuple

PRECEDENCE = {
    **{"||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6},
    **{"<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8},
    **{"+": 9, "-": 9, "*": 10, "/": 10, "%": 10},
}
"""C's binary operators; those with higher numbers bind tighter, all to the left."""

_UNARY = ("-", "+", "~", "!", "*", "&")

DEEPEST = 40
"""Levels of parentheses, casts and the like."""

_AT_USER = "@user"


class Words(NamedTuple):
    """What names mean that are not C's.

    names      `$pid`: an expression in place of the name
    functions  `$entry(x)`: an expression in place of the call
    structures `args->x`: an expression in place of the member

    The functions that make the expressions get the place, and raise SkepError for what
    they do not want.
    """

    names: Mapping[str, Callable[[Span], tree.Expression]] = {}
    functions: Mapping[
        str, Callable[[Span, Sequence[tree.Expression]], tree.Expression]
    ] = {}
    structures: Mapping[str, Callable[[Span, str], tree.Expression]] = {}


NO_WORDS = Words()


def parse_expression(
    text: str,
    span: Place,
    words: Words | Mapping[str, Callable[[Span], tree.Expression]] = NO_WORDS,
) -> tree.Expression:
    """The tree of a text that is one C expression.

    `span` gives the place of characters of the text in what the user wrote.  Names that
    are not in `words` become names of the compiler; those that begin with `$` are
    errors.  Raises UsageError for what is no C expression.
    """
    if not isinstance(words, Words):
        words = Words(words)
    parser = _Parser(tokens_of(text, span), span, words)
    expression = parser.conditional()
    parser.expect_end()
    return expression


def free_names(expression: tree.Expression) -> list[str]:
    """The names in an expression that `words` did not explain, in order."""
    found: dict[str, None] = {}
    pending: list[object] = [expression]
    while pending:
        node = pending.pop()
        if isinstance(node, tree.Name):
            found[node.id] = None
        elif isinstance(node, tree.Node):
            fields = [getattr(node, field) for field in node._fields]
            pending += reversed(fields)
        elif isinstance(node, (list, tuple)) and not isinstance(node, Span):
            pending += reversed(node)
    return list(found)


class _Parser:
    def __init__(self, tokens: Sequence[Token], span: Place, words: Words) -> None:
        self.tokens = tokens
        self.position = 0
        self.place = span
        self.words = words
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def accept(self, *operators: str) -> Token | None:
        """The next token if it is one of these operators."""
        token = self.token
        if token.kind == "operator" and token.text in operators:
            return self.advance()
        return None

    def expect(self, operator: str) -> Token:
        return self.accept(operator) or self.fail(f"'{operator}'")

    def span(self, start: int) -> Span:
        """The place from a character to the end of the last token."""
        return self.place(start, self.tokens[self.position - 1].end)

    def expect_end(self) -> None:
        if self.token.kind != "end":
            self.fail("an operator")

    def fail(self, wanted: str) -> NoReturn:
        """Refuse the next token."""
        token = self.token
        place = self.place(token.start, max(token.end, token.start + 1))
        if token.kind == "end":
            raise UsageError(f"the expression ends where {wanted} is expected", place)
        if token.text in ASSIGNING:
            raise UsageError(
                f"'{token.text}' would change something; programs only look",
                place,
                hint="equality is '=='" if token.text == "=" else "",
            )
        raise UsageError(
            f"'{token.text}' is not expected here", place, hint=f"expected {wanted}"
        )

    def deeper(self, parse: Callable[[], tree.Expression]) -> tree.Expression:
        """Parse one level further in; C has no limit, but Python's stack does."""
        self.depth += 1
        if self.depth > DEEPEST:
            token = self.token
            raise UsageError(
                "the expression is nested too deeply",
                self.place(token.start, token.end),
            )
        expression = parse()
        self.depth -= 1
        return expression

    def conditional(self) -> tree.Expression:
        """`test ? a : b`, or what binds tighter."""
        start = self.token.start
        test = self.binary(1)
        if not self.accept("?"):
            return test
        body = self.deeper(self.conditional)
        self.expect(":")
        orelse = self.deeper(self.conditional)
        return tree.CConditional(test, body, orelse, self.span(start))

    def binary(self, lowest: int) -> tree.Expression:
        """Operators that bind at least as tight as `lowest`."""
        start = self.token.start
        left = self.unary()
        while True:
            token = self.token
            tightness = PRECEDENCE.get(token.text, 0)
            if token.kind != "operator" or tightness < lowest:
                return left
            self.advance()
            right = self.binary(tightness + 1)
            left = tree.CBinary(token.text, left, right, self.span(start))

    def unary(self) -> tree.Expression:
        """Operators in front of an operand, casts and sizeof."""
        start = self.token.start
        operator = self.accept(*_UNARY)
        if operator:
            operand = self.deeper(self.unary)
            return tree.CUnary(operator.text, operand, self.span(start))
        if self.token.text == "sizeof":
            return self.sizeof()
        if self.token.text == "(":
            found = types.type_at(self.tokens, self.position + 1, self.knows)
            if found and types.is_cast(self.tokens, found):
                self.position = found.end + 1
                operand = self.deeper(self.unary)
                return tree.CCast(found.text, operand, self.span(start))
        return self.postfix()

    def knows(self, name: str) -> bool:
        """Whether a name is a word, and so no type."""
        return any(name in mapping for mapping in self.words)

    def sizeof(self) -> tree.Expression:
        start = self.advance().start
        if self.token.text == "(":
            found = types.type_at(self.tokens, self.position + 1, self.knows)
            if found and found.certain:
                self.position = found.end + 1
                return tree.CSizeof(found.text, self.span(start))
        operand = self.deeper(self.unary)
        return tree.CSizeof(operand, self.span(start))

    def postfix(self) -> tree.Expression:
        """An operand and the members and elements behind it."""
        start = self.token.start
        value = self.primary()
        while True:
            operator = self.accept(".", "->", "[")
            if operator is None:
                return value
            if operator.text == "[":
                index = self.deeper(self.conditional)
                self.expect("]")
                value = tree.CIndex(value, index, self.span(start))
                continue
            if self.token.kind != "name":
                self.fail("a member's name")
            name = self.advance().text
            value = tree.CMember(value, operator.text, name, self.span(start))

    def primary(self) -> tree.Expression:
        """A number, a text, a name, a call, or anything in parentheses."""
        token = self.token
        if token.kind == "name":
            return self.name()
        if token.kind == "number":
            return literals.number(self.advance(), self.place)
        if token.kind == "character":
            return literals.character(self.advance(), self.place)
        if token.kind == "text":
            return literals.text(self.advance(), self.place)
        if self.accept("("):
            inner = self.deeper(self.conditional)
            self.expect(")")
            return inner
        self.fail("a value")

    def name(self) -> tree.Expression:
        """What a name stands for, alone or in front of `(` or `->`."""
        token = self.advance()
        name, span = token.text, self.place(token.start, token.end)
        if self.token.text == "(":
            return self.call(token)
        structure = self.words.structures.get(name)
        if structure is not None and self.token.text in ("->", "."):
            self.advance()
            if self.token.kind != "name":
                self.fail("a member's name")
            member = self.advance().text
            return structure(self.span(token.start), member)
        word = self.words.names.get(name)
        if word is not None:
            return word(span)
        if name.endswith(_AT_USER):
            plain = name[: -len(_AT_USER)]
            known = self.words.names.get(plain)
            value = known(span) if known else self.plain(plain, span)
            return tree.CCast("char __user *", value, span)
        return self.plain(name, span)

    def plain(self, name: str, span: Span) -> tree.Expression:
        """A name that the compiler is to look up."""
        if name.startswith("$"):
            raise self.unknown(name, span)
        if types.is_keyword(name):
            raise UsageError(f"'{name}' is not expected here", span)
        return tree.Name(name, span)

    def unknown(self, name: str, span: Span) -> UsageError:
        if name in self.words.functions:
            return UsageError(f"{name} is to be called", span, hint=f"{name}(…)")
        known = [word for mapping in self.words for word in mapping]
        known = [word for word in known if word.startswith("$")]
        hint = f"there are {', '.join(known)}" if known else ""
        return UsageError(
            f"there is no {name} here", span, hint=did_you_mean(name, known) or hint
        )

    def call(self, token: Token) -> tree.Expression:
        """A call by name."""
        self.expect("(")
        arguments = []
        if not self.accept(")"):
            arguments.append(self.deeper(self.conditional))
            while self.accept(","):
                arguments.append(self.deeper(self.conditional))
            self.expect(")")
        span = self.span(token.start)
        function = self.words.functions.get(token.text)
        if function is not None:
            return function(span, arguments)
        if token.text.startswith("$"):
            raise self.unknown(token.text, span)
        return tree.CCall(token.text, arguments, span)
