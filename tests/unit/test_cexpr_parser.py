"""C expressions to trees: what binds tighter, what is a cast, what numbers are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skep.compiler import tree
from skep.compiler.tree_text import expression_text
from skep.errors import SkepError, Span, UsageError
from skep.frontends.cexpr import (
    Words,
    balanced_end,
    free_names,
    parse_expression,
    split_list,
)


def places(text: str) -> Any:
    return lambda start, end: Span("probe", 1, start, end, text)


def parsed(text: str, words: Words = Words()) -> tree.Expression:  # noqa: B008
    return parse_expression(text, places(text), words)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b % c", "((a / b) % c)"),
        ("a << b + c", "(a << (b + c))"),
        ("a < b == c > d", "((a < b) == (c > d))"),
        ("a & b == c", "(a & (b == c))"),
        ("a | b ^ c & d", "(a | (b ^ (c & d)))"),
        ("a && b || c && d", "((a && b) || (c && d))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? c : d : e", "(a ? (b ? c : d) : e)"),
        ("a || b ? c : d", "((a || b) ? c : d)"),
        ("-a * ~b", "((-a) * (~b))"),
        ("!a == b", "((!a) == b)"),
        ("- -a", "(-(-a))"),
        ("a - -b", "(a - (-b))"),
        ("*p->a", "(*p->a)"),
        ("&p->a[3].b", "(&p->a[3].b)"),
        ("**p", "(*(*p))"),
        ("a & *b", "(a & (*b))"),
        ("a && &b->c", "(a && (&b->c))"),
        ("(u8) a + b", "(((u8) a) + b)"),
        ("(u8)(a + b)", "((u8) (a + b))"),
        ("(struct sock *)a", "((struct sock *) a)"),
        ("((struct sock *)a)->b", "((struct sock *) a)->b"),
        ("(struct sock *)a->b", "((struct sock *) a->b)"),
        ("(const char __user *)a", "((const char __user *) a)"),
        ("(unsigned long long)a", "((unsigned long long) a)"),
        ("(u8)(u16)a", "((u8) ((u16) a))"),
        ("(size_t)-1", "((size_t) (-1))"),
        ("(sector_t)*p", "((sector_t) (*p))"),
        ("(foo)a", "((foo) a)"),
        ("(foo *)a", "((foo *) a)"),
        ("(foo)(a)", "((foo) a)"),
        ("(a) - 1", "(a - 1)"),
        ("(a) * b", "(a * b)"),
        ("(a) & b", "(a & b)"),
        ("(a)", "a"),
        ("(a)->b", "a->b"),
        ("(a)[1]", "a[1]"),
        ("sizeof(int)", "sizeof(int)"),
        ("sizeof(struct sock)", "sizeof(struct sock)"),
        ("sizeof(struct sock *) + 1", "(sizeof(struct sock *) + 1)"),
        ("sizeof(a)", "sizeof(a)"),
        ("sizeof a + 1", "(sizeof(a) + 1)"),
        ("sizeof a->b[1]", "sizeof(a->b[1])"),
        ("sizeof (a)->b", "sizeof(a->b)"),
        ('STRCMP("a,\\"b", p)', "STRCMP(b'a,\"b', p)"),
        ("f()", "f()"),
        ("f(a ? b : c, (d))", "f((a ? b : c), d)"),
        ("a>b", "(a > b)"),
        ("a->b>>c", "(a->b >> c)"),
        (" a\n+\tb ", "(a + b)"),
    ],
)
def test_structure(text: str, meaning: str) -> None:
    expression = parsed(text)
    assert expression_text(expression) == meaning
    # What the text of the tree says is the tree again.
    if "b'" not in meaning:
        assert expression_text(parsed(meaning)) == meaning


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ("0", 0, "int"),
        ("42", 42, "int"),
        ("2147483647", 2147483647, "int"),
        ("2147483648", 2147483648, "long"),
        ("0x7fffffff", 0x7FFFFFFF, "int"),
        ("0x80000000", 0x80000000, "unsigned int"),
        ("0xFFFFFFFF", 0xFFFFFFFF, "unsigned int"),
        ("0x100000000", 1 << 32, "long"),
        ("0x8000000000000000", 1 << 63, "unsigned long"),
        ("18446744073709551615", (1 << 64) - 1, "unsigned long"),
        ("052", 42, "int"),
        ("0b101010", 42, "int"),
        ("1u", 1, "unsigned int"),
        ("1U", 1, "unsigned int"),
        ("1l", 1, "long"),
        ("1LL", 1, "long"),
        ("1ul", 1, "unsigned long"),
        ("1LU", 1, "unsigned long"),
        ("1ULL", 1, "unsigned long"),
        ("4294967296u", 1 << 32, "unsigned long"),
        ("'a'", 97, "int"),
        (r"'\n'", 10, "int"),
        (r"'\x41'", 65, "int"),
        (r"'\101'", 65, "int"),
        (r"'\''", 39, "int"),
        ("'\"'", 34, "int"),
        (r"'\0'", 0, "int"),
    ],
)
def test_number(text: str, value: int, type_: str) -> None:
    literal = parsed(text)
    assert isinstance(literal, tree.CLiteral)
    assert (literal.value, literal.type) == (value, type_)


def test_text_is_bytes() -> None:
    literal = parsed(r'"a\tb\x00\377ä"')
    assert isinstance(literal, tree.Literal)
    assert literal.value == b"a\tb\0\xff\xc3\xa4"


def test_span_is_that_of_the_whole_operation() -> None:
    text = "1 + file->f_mode * 2"
    expression = parsed(text)
    assert isinstance(expression, tree.CBinary)
    assert text[expression.span.column : expression.span.end_column] == text
    product = expression.right
    assert text[product.span.column : product.span.end_column] == "file->f_mode * 2"


def test_words() -> None:
    words = Words(
        {"$pid": lambda span: tree.Name("tgid", span)},
        {"$entry": lambda span, arguments: tree.CUnary("!", arguments[0], span)},
        {"args": lambda span, member: tree.Name(f"field_{member}", span)},
    )
    text = "$pid + $entry(x) + args->count + args"
    expression = parsed(text, words)
    assert expression_text(expression) == "(((tgid + (!x)) + field_count) + args)"
    assert free_names(expression) == ["tgid", "x", "field_count", "args"]


def test_word_in_parentheses_is_no_type() -> None:
    words = Words({"retval": lambda span: tree.Name("ret", span)})
    assert expression_text(parsed("(retval) * 2", words)) == "(ret * 2)"


def test_at_user() -> None:
    words = Words({"arg1": lambda span: tree.Name("first", span)})
    meaning = "((char __user *) first)"
    assert expression_text(parsed("arg1@user", words)) == meaning
    assert expression_text(parsed("name@user")) == "((char __user *) name)"


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("", "the expression ends where a value is expected", ""),
        ("a +", "the expression ends where a value is expected", ""),
        ("(a", "the expression ends where ')' is expected", ""),
        ("a ? b", "the expression ends where ':' is expected", ""),
        ("a[1", "the expression ends where ']' is expected", ""),
        ("a b", "'b' is not expected here", "b"),
        ("a, b", "',' is not expected here", ","),
        ("a + )", "')' is not expected here", ")"),
        ("a.1", "'.1' is not expected here", ".1"),
        ("a->1", "'1' is not expected here", "1"),
        ("struct x", "'struct' is not expected here", "struct"),
        ("a = b", "'=' would change something; programs only look", "="),
        ("a += b", "'+=' would change something; programs only look", "+="),
        ("a++", "'++' would change something; programs only look", "++"),
        ("--a", "'--' would change something; programs only look", "--"),
        ("1.5", "'1.5' is no integer", "1.5"),
        ("1e3", "'1e3' is no integer", "1e3"),
        ("09", "'09' is no integer", "09"),
        ("0x", "'0x' is no integer", "0x"),
        ("1ulu", "'1ulu' is no integer", "1ulu"),
        ("12ab", "'12ab' is no integer", "12ab"),
        (
            "18446744073709551616",
            "18446744073709551616 does not fit into 64 bits",
            None,
        ),
        ("''", "'' is not one character", "''"),
        ("'ab'", "'ab' is not one character", "'ab'"),
        (r"'\q'", r"\q is no character of one byte", r"\q"),
        (r'"\x100"', r"\x100 is no character of one byte", r"\x100"),
        ("'a", "this character has no closing '", "'a"),
        ('"a', 'this text has no closing "', '"a'),
        ("a # b", "'#' does not belong in a C expression", "#"),
        ("a @ b", "'@' does not belong in a C expression", "@"),
        ("ä", "'ä' does not belong in a C expression", "ä"),
        ("$nope", "there is no $nope here", "$nope"),
        ("$", "there is no $ here", "$"),
        ("$nope(1)", "there is no $nope here", "$nope(1)"),
        ("(" * 50 + "a" + ")" * 50, "the expression is nested too deeply", "("),
        ("+".join("a" * 300), "the expression is too long", None),
    ],
)
def test_refused(text: str, message: str, marked: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parsed(text)
    diagnostic = caught.value.diagnostic
    assert diagnostic.message == message
    assert diagnostic.span is not None
    if marked is not None:
        span = diagnostic.span
        assert text[span.column : span.end_column] == marked


def test_hint_at_words() -> None:
    words = Words({"$retval": lambda span: tree.Name("ret", span)})
    with pytest.raises(UsageError) as caught:
        parsed("$retvla > 0", words)
    assert caught.value.diagnostic.hint == "did you mean $retval?"


ALPHABET = st.sampled_from(
    [*"abc019()[]{}'\"\\+-*/%<>=!&|^~?:.,;$@# \t\n", "->", "struct ", "sizeof", "0x"]
)


@given(st.lists(ALPHABET, max_size=60).map("".join))
def test_garbage(text: str) -> None:
    for use in (parsed, lambda text: split_list(text, places(text))):
        try:
            use(text)
        except SkepError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        (" a , b ", ["a", "b"]),
        ("f(a, b), c[d, e]", ["f(a, b)", "c[d, e]"]),
        ('STRCMP("a,b", c), d', ['STRCMP("a,b", c)', "d"]),
        ("','", ["','"]),
        (r'"\",", a', [r'"\","', "a"]),
        ("a,,b", ["a", "", "b"]),
        ("a,", ["a", ""]),
    ],
)
def test_split_list(text: str, parts: list[str]) -> None:
    assert [text[a:b] for a, b in split_list(text, places(text))] == parts


def test_balanced_end() -> None:
    text = 'p (a == ")" && f(b)) "x"'
    assert text[2 : balanced_end(text, 2, places(text))] == '(a == ")" && f(b))'


@pytest.mark.parametrize("text", ["(a", "((a)", "(a]", '(")"'])
def test_unbalanced(text: str) -> None:
    with pytest.raises(UsageError):
        balanced_end(text, 0, places(text))
