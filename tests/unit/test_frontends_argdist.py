"""The specifiers of argdist: their parts, and what is wrong with them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from skep.errors import SkepError, UsageError
from skep.frontends.argdist import parse
from skep.toolkit.arguments import bind
from skep.toolkit.binding import Binding
from skep.toolkit.session import compile_programs, ladder_of, schemes_of
from skep.toolkit.tool import load
from tests.fixtures import saved_target

FORMS = [
    "p::vfs_read(struct file *file, char *buf, size_t count):size_t:count",
    "p::vfs_read():char *,size_t:file->f_path.dentry->d_name.name,count",
    'p::vfs_read(struct file *f, char __user *b):char *:b:STRCMP("a:b#c,(", b)',
    "r::vfs_read()",
    "r::vfs_read(struct file *f, char *b, size_t c):u64,int:$latency,$entry(c):c>1#l",
    "r::vfs_read():u32,char *:$PID,$COMM:$retval < 0 && $latency > 1000",
    "p:c:malloc(size_t size):size_t:size",
    "p:c:malloc(size_t size):size_t:size:size==16",
    "r:c:gets():char*:(char*)$retval:$retval != 0",
    "p:/lib/a:b/libc.so:write(int fd):int:fd",
    "t:sched:sched_switch():int,int:args->prev_pid,args->next_pid",
    "t:syscalls:sys_enter_openat()",
    "u:c:memory_arena_new():u64,u64:arg1,arg2",
    "u:/usr/bin/python3:python:function__entry():char*:arg2#functions",
    "p::__x64_sys_openat(int dfd, char __user *name):char *,int:name,dfd:dfd >= 0",
]
"""All documented forms, for kernel and user functions."""


@pytest.mark.parametrize("text", FORMS)
def test_form(text: str) -> None:
    specifier = parse(text, histogram=False)
    label = text.rpartition("#")[2] if specifier.is_labelled else text
    assert specifier.label == label


def test_parts() -> None:
    text = (
        " r:c:strtol(const char *s, int base):char*, int : $entry(s), $retval"
        " :$retval>3 # a label "
    )
    specifier = parse(text, histogram=False)
    probe = specifier.probe
    assert (probe.kind, probe.library, probe.name.text) == ("r", "c", "strtol")
    assert probe.signature == [("const char *", "s"), ("int", "base")]
    values = [(value.type, value.shown) for value in specifier.values]
    assert values == [("char*", "$entry(s)"), ("int", "$retval")]
    assert specifier.filter is not None
    assert specifier.filter.text == "$retval>3"
    assert specifier.label == "a label"


@pytest.mark.parametrize(
    ("text", "library", "name"),
    [
        ("p:/a:b/c.so:f()", "/a:b/c.so", "f"),
        ("u:c:probe()", "c", "probe"),
        ("u:c:provider:probe()", "c", "provider:probe"),
        ("u:/a:b:provider:probe()", "/a:b", "provider:probe"),
        ("p::f()", "", "f"),
        ("t:net:netif_rx()", "net", "netif_rx"),
    ],
)
def test_library(text: str, library: str, name: str) -> None:
    probe = parse(text, histogram=False).probe
    assert (probe.library, probe.name.text) == (library, name)


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("", "the specifier is empty", ""),
        ("#label", "the specifier is empty", "#"),
        ("p:c:f", "at least the probe type, library, and function", "p:c:f"),
        ("f()", "probe type must be 'p', 'r', 't' or 'u', but got 'f()'", "f()"),
        ("p:f()", "at least the probe type, library, and function", "p:f()"),
        ("x:c:f()", "probe type must be 'p', 'r', 't' or 'u', but got 'x'", "x"),
        ("p:c:()", "the name of a function is missing", "("),
        ("p:c:f(", "this '(' is never closed", "("),
        ("p:c:f(x)", "'x' is no parameter", "x"),
        ("p:c:f(int (*x)(int))", "a signature cannot have parentheses", None),
        ("p:c:f() :int:1", "", None),
        ("p:c:f()x:int:1", "expected ':' behind the signature", "x"),
        ("p:c:f():int", "a type is given, but no value", "int"),
        ("p:c:f():int,int:1", "mismatched # of exprs and types", "1"),
        ("p:c:f()::1", "mismatched # of exprs and types", "1"),
        ("p:c:f():int,:1,2", "nothing stands between the commas", ","),
        ("p:c:f():int:1:2:3", "extraneous ':'-separated parts detected", "3"),
        ("p:c:f():int:a?b:c", "", None),
        ("p:c:f():int:a?b:c:d", "extraneous ':'-separated parts detected", "d"),
        ("p:c:f()#a#b", "there is more than one label", "#b"),
        ("p:c:f()#", "the label is empty", "#"),
        ("t::f()", "the category is missing", ":"),
        ("u::f()", "the library is missing", ":"),
        ("t:a:b(int x)", "USDT probes and tracepoints have no signature", "int x"),
    ],
)
def test_refused(text: str, message: str, marked: str | None) -> None:
    if not message:
        parse(text, histogram=False)
        return
    with pytest.raises(UsageError) as caught:
        parse(text, histogram=False)
    diagnostic = caught.value.diagnostic
    assert message in diagnostic.message
    assert diagnostic.span is not None
    if marked is not None:
        assert text[diagnostic.span.column : diagnostic.span.end_column] == marked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p:c:f()", "histograms must have expr"),
        ("p:c:f():int,int:1,2", "histograms can only have 1 expr"),
    ],
)
def test_refused_histogram(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(text, histogram=True)


def compiled(text: str, kind: str = "counts", kernel: str = "6.12") -> int:
    """The number of programs that a specifier becomes on a saved kernel."""
    target = saved_target(kernel)
    options: Any = bind(load("argdist"), {kind: [text]})
    tool = load("argdist").declared(options, target)
    binding = Binding(tool, options)
    number = 0
    for scheme in schemes_of(binding):
        for group in scheme.groups:
            for rung in ladder_of(group, binding, target):
                number += len(list(compile_programs(rung, binding, target)))
    return number


KERNEL_FORMS = [text for text in FORMS if text[1:3] == "::"]


@pytest.mark.parametrize("text", KERNEL_FORMS)
@pytest.mark.parametrize("kernel", ["5.10", "6.12", "7.2"])
def test_compiles(text: str, kernel: str) -> None:
    assert compiled(text, kernel=kernel)


@pytest.mark.parametrize(
    ("text", "message", "marked"),
    [
        ("p::vfs_read():int:conut", "there is no 'conut' here", "conut"),
        ("p::vfs_read():int:$retval", "$retval is known at the return", "$retval"),
        ("p::vfs_read():int:$latency", "$latency is known at the return", "$latency"),
        ("p::vfs_read():int:$entry(x)", "$entry() is known at the", "$entry(x)"),
        ("r::vfs_read():int:$entry()", "$entry() takes the name of a", "$entry()"),
        ("r::vfs_read():int:$entry", "$entry is to be called", "$entry"),
        ("r::vfs_read():int:$retvla", "there is no $retvla here", "$retvla"),
        ("p::vfs_raed():int:1", "the kernel has no function 'vfs_raed'", "vfs_raed"),
        ("p::vfs_read():nope:count", "this kernel has no type 'nope'", "nope"),
        ("p::vfs_read():struct file:file", "'struct file' can be", "struct file"),
        ("p::vfs_read():int[3]:count", "'int[3]' can be", "int[3]"),
        ("p::vfs_read():in t:count", '"in t" is not a C type', "in t"),
        ("p::vfs_read():int:count +", "the expression ends where", ""),
        ("p::vfs_read():int:file.f_mode", "'.' on struct file *", "file.f_mode"),
        ("p::vfs_read():int:count->x", "this is u64, no pointer", "count"),
        ("p::vfs_read():int:file->f_mod", "has no member 'f_mod'", "file->f_mod"),
        ("p::vfs_read():int:count = 3", "would change something", "="),
    ],
)
def test_refused_by_compiler(text: str, message: str, marked: str) -> None:
    with pytest.raises(SkepError) as caught:
        compiled(text)
    diagnostic = caught.value.diagnostic
    assert message in diagnostic.message
    assert diagnostic.span is not None
    column, end = diagnostic.span.column, diagnostic.span.end_column
    assert text[column:end].strip() == marked


def test_histogram_of_text_is_refused() -> None:
    with pytest.raises(UsageError, match="a histogram is of numbers"):
        compiled("p::vfs_read():char *:buf", "histograms")


def test_mutations() -> None:
    """Whatever is typed wrong: a message, or a program."""
    generator = random.Random(4)
    pieces = [*"()[]:#,.$*&<>=!+-\"' ax0", "->", "$retval", "struct ", "args->", "u64"]
    outcomes = {True: 0, False: 0}
    for _ in range(500):
        text = generator.choice(KERNEL_FORMS)
        for _ in range(generator.choice((1, 1, 2, 3))):
            position = generator.randrange(len(text) + 1)
            cut = position + generator.choice((0, 0, 1, 2, 5))
            text = text[:position] + generator.choice(pieces) + text[cut:]
        kind = generator.choice(("counts", "histograms"))
        try:
            outcomes[bool(compiled(text, kind))] += 1
        except SkepError as error:
            assert str(error)
            outcomes[False] += 1
    assert outcomes[True] > 10
