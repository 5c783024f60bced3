"""The probes of `trace`: every form, and every refusal with its place."""

from __future__ import annotations

from typing import Any

import pytest

from skep.compiler.environment import WrittenFunction
from skep.errors import SkepError
from skep.frontends.signature import Parameter
from skep.frontends.trace import FORMS, parse
from skep.probes.intention import (
    FunctionEntry,
    FunctionExit,
    Intention,
    SyscallEnter,
    SyscallExit,
    Tracepoint,
    Uprobe,
    Uretprobe,
    Usdt,
)
from tests.fixtures import saved_target
from tests.live.probe_programs import binding_of, candidates, collection


def parsed(text: str) -> tuple[str, str, str, int]:
    probe = parse(text)
    return probe.kind, probe.library, probe.name.text, probe.offset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vfs_read", ("p", "", "vfs_read", 0)),
        (":vfs_read", ("p", "", "vfs_read", 0)),
        ("::vfs_read", ("p", "", "vfs_read", 0)),
        ("p::vfs_read", ("p", "", "vfs_read", 0)),
        ("r::vfs_read", ("r", "", "vfs_read", 0)),
        ("c:malloc", ("p", "c", "malloc", 0)),
        (":c:malloc", ("p", "c", "malloc", 0)),
        ("p:c:malloc", ("p", "c", "malloc", 0)),
        ("r:c:malloc", ("r", "c", "malloc", 0)),
        ("/opt/a b".replace(" ", "_") + ":f", ("p", "/opt/a_b", "f", 0)),
        ("p:/opt/a:b/c:f", ("p", "/opt/a:b/c", "f", 0)),
        ("r:/opt/a:b:f", ("r", "/opt/a:b", "f", 0)),
        ("t:sched:sched_switch", ("t", "sched", "sched_switch", 0)),
        ("u:pthread:mutex_entry", ("u", "pthread", "mutex_entry", 0)),
        ("u:/bin/x:python:line", ("u", "/bin/x", "python:line", 0)),
        ("vfs_read+16", ("p", "", "vfs_read", 16)),
        ("p::vfs_read+0x10", ("p", "", "vfs_read", 16)),
        ("c:malloc+0X1f", ("p", "c", "malloc", 31)),
        ("  vfs_read\n", ("p", "", "vfs_read", 0)),
    ],
)
def test_where(text: str, expected: tuple[str, str, str, int]) -> None:
    assert parsed(text) == expected


def parts(text: str) -> tuple[str | None, list[str] | None, list[str]]:
    """Predicate, texts of the format, values."""
    probe = parse(text)
    return (
        probe.predicate.text if probe.predicate else None,
        list(probe.format.texts) if probe.format else None,
        [value.text for value in probe.values],
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f", (None, None, [])),
        ("f (a > 1)", ("a > 1", None, [])),
        ("f\t(a > 1)", ("a > 1", None, [])),
        ('f "x"', (None, ["x"], [])),
        ('f ""', (None, [""], [])),
        ('f (a)"x"', ("a", ["x"], [])),
        ('f "%d", a', (None, ["", ""], ["a"])),
        ('f "%d" , a ', (None, ["", ""], ["a"])),
        ('f "%d%d",a,b', (None, ["", "", ""], ["a", "b"])),
        ('f "%d, %s", a, b->c', (None, ["", ", ", ""], ["a", "b->c"])),
        ('f "100%%"', (None, ["100%"], [])),
        ('f "(%d)", (a)', (None, ["(", ")"], ["(a)"])),
        ('f ((a + (b)) > 1) "x"', ("(a + (b)) > 1", ["x"], [])),
        ("f (a[1] == ')') \"x\"", ("a[1] == ')'", ["x"], [])),
        ('f (STRCMP(")", a)) "x"', ('STRCMP(")", a)', ["x"], [])),
        (
            'f "%d %d", STRCMP("a,b", c), g(1, 2)',
            (None, ["", " ", ""], ['STRCMP("a,b", c)', "g(1, 2)"]),
        ),
        ('f "say \\"%d\\"", a', (None, ['say "', '"'], ["a"])),
        ('f "a\\tb"', (None, ["a\tb"], [])),
        ('t:a:b (args->x) "x"', ("args->x", ["x"], [])),
    ],
)
def test_predicate_format_and_values(text: str, expected: Any) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "signature", "predicate"),
    [
        ("f", None, None),
        ("f (a)", None, "a"),
        ("f(void)", [], None),
        ("f()", [], None),
        ("f(int a)", [Parameter("int", "a")], None),
        ("f(int a)(a)", [Parameter("int", "a")], "a"),
        ("f(int a) (a)", [Parameter("int", "a")], "a"),
        ("f+4(int a)", [Parameter("int", "a")], None),
        (
            "c:f( const  char *p ,struct x **q, unsigned long long n_2 ) (n_2)",
            [
                Parameter("const char *", "p"),
                Parameter("struct x **", "q"),
                Parameter("unsigned long long", "n_2"),
            ],
            "n_2",
        ),
    ],
)
def test_signature(
    text: str, signature: list[Parameter] | None, predicate: str | None
) -> None:
    probe = parse(text)
    assert probe.signature == signature
    assert (probe.predicate.text if probe.predicate else None) == predicate


def test_places_are_those_in_the_text() -> None:
    text = ' c:open(int a) (a > 1) "%d", a + 2 '
    probe = parse(text)
    for part in (probe.text, probe.name, probe.predicate, *probe.values):
        assert part is not None
        span = part.place
        assert span.text == text
        assert text[span.column : span.end_column] == part.text


# Each with the part of the text that the message is about.
REFUSALS = [
    ("vfs_read", "x:a:b", "x", "probe type must be '', 'p', 't', 'r', or 'u'"),
    ("form", "t:sched", "t:sched", "'t:' wants two more parts"),
    ("form", "p:vfs_read", "p:vfs_read", "'p:' wants two more parts"),
    ("form", "t:a:b:c", "t:a:b:c", "a tracepoint is 't:category:event'"),
    ("form", "t::b", "t::b", "the category is missing"),
    ("form", "u::b", "u::b", "the library is missing"),
    ("form", "u:a:b:c:d", "u:a:b:c:d", "there are too many colons"),
    ("form", "c:", "c:", "the name of a function is missing"),
    ("form", '(a) "x"', "(", "the name of a function is missing"),
    ("form", "c:str*", "*", "'*' in a name: a probe is at one place"),
    ("form", "t:sched:a|b", "|", "'|' in a name: a probe is at one place"),
    ("form", "f\0g", "\0", "there is a NUL in the probe"),
    ("offset", "f+", "f+", "the offset is missing"),
    ("offset", "f+z", "z", "'z' is no number"),
    ("offset", "f+-3", "-3", "this is no offset in a function"),
    ("offset", "f+99999999999999999999", "9" * 20, "this is no offset in a function"),
    ("offset", "r::f+4", "f+4", "only a probe at an entry can have an offset"),
    ("offset", "t:a:b+4", "b+4", "only a probe at an entry can have an offset"),
    ("signature", "f(int", "(", "this '(' is never closed"),
    ("signature", "f(int)", "int", "'int' is no parameter"),
    ("signature", "f(struct x)", "struct x", "'struct x' is no parameter"),
    ("signature", "f(int a, )", " ", "'' is no parameter"),
    ("signature", "f(int a, s8 a)", "int a", "'a' is there twice"),
    ("signature", "f(int (*g)(int))", "int (*g)(int)", "a signature cannot have"),
    ("signature", "t:a:b(int a)", "(int a)", "USDT probes and tracepoints have no"),
    ("signature", "u:a:b(int a) (a)", "(int a)", "USDT probes and tracepoints have"),
    ("predicate", "f (a", "(", "this '(' is never closed"),
    ("predicate", "f ((a)", "(", "this '(' is never closed"),
    ("predicate", 'f (a]) "x"', "]", "nothing is open that ']' could close"),
    ("predicate", 'f (a)) "x"', ') "x"', "expected a format in double quotes"),
    ("format", "f x", "x", "expected a format in double quotes"),
    ("format", "f (a) 'x'", "'x'", "expected a format in double quotes"),
    ("format", 'f "x', '"', "the format has no closing quote"),
    ("format", 'f "x\\"', '"', "the format has no closing quote"),
    ("format", 'f "%f", a', "%f", "'%f': the kernel has no fractions"),
    ("format", 'f "a %5.2y", a', "%5.2y", "'%5.2y' is no conversion"),
    ("format", 'f "100%"', "%", "'%' is no conversion"),
    ("values", 'f "%d"', "%d", "the format takes 1 value, not 0"),
    ("values", 'f "%d %s", a', "%s", "the format takes 2 values, not 1"),
    ("values", 'f "%d", a, b', "b", "the format takes 1 value, not 2"),
    ("values", 'f "x", a', "a", "the format takes no values, not 1"),
    ("values", 'f "%d", , a', " ", "a value is missing"),
    ("values", 'f "%d" a', "a", "expected a comma and values here"),
    ("values", 'f "%d", (a', "(", "this '(' is never closed"),
]


@pytest.mark.parametrize(
    ("text", "place", "message"), [row[1:] for row in REFUSALS], ids=lambda x: x
)
def test_refusal(text: str, place: str, message: str) -> None:
    error = refused(lambda: parse(text))
    diagnostic = error.diagnostic
    assert diagnostic.message.startswith(message)
    span = diagnostic.span
    assert span is not None and span.text == text
    # A place behind the last character is one character wide.
    assert text[span.column : span.end_column] == place.rstrip() or (
        span.end_column - span.column == 1
    )
    assert error.exit_status == 2


def refused(make: Any) -> SkepError:
    with pytest.raises(SkepError) as caught:
        make()
    assert str(caught.value)
    return caught.value


@pytest.mark.parametrize("text", ["", "  \n"])
def test_empty(text: str) -> None:
    assert refused(lambda: parse(text)).diagnostic.hint == FORMS


def intention(text: str, **options: Any) -> Intention:
    """What a probe asks for on 6.18."""
    binding = binding_of("trace", saved_target("6.18"), probes=[text], **options)
    (probe,) = binding.tool.probes.values()
    return probe.intention


# A module has functions or the kernel itself, as it was built.
ANYWHERE: dict[Any, Any] = {FunctionEntry: {"module": ""}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vfs_read", FunctionEntry(("vfs_read",))),
        ("r::vfs_read", FunctionExit(("vfs_read",))),
        ("xfs_file_open", FunctionEntry(("xfs_file_open",))),
        (
            "vfs_read+0x10",
            FunctionEntry(("vfs_read",), kinds=("kprobe",), offset=16),
        ),
        ("sys_openat", SyscallEnter(("openat",))),
        ("p::SyS_openat", SyscallEnter(("openat",))),
        ("__x64_sys_openat", SyscallEnter(("openat",))),
        ("r::__se_sys_read", SyscallExit(("read",))),
        ("sys_newstat", SyscallEnter(("stat",))),
        ("t:sched:sched_switch", Tracepoint("sched:sched_switch")),
        ("c:malloc", Uprobe("c", ("malloc",))),
        ("c:malloc+4", Uprobe("c", ("malloc",), offset=4)),
        ("r:c:malloc", Uretprobe("c", ("malloc",))),
        ("u:app:begin", Usdt("app", "begin")),
        ("u:app:app:begin", Usdt("app", "app:begin")),
    ],
)
def test_intention(text: str, expected: Intention) -> None:
    assert intention(text)._replace(**ANYWHERE.get(type(expected), {})) == expected


@pytest.mark.parametrize(
    ("signature", "used"),
    [
        ("int a, int b", "arg2"),
        ("double a, int b", "arg1"),
        ("const float a, long *c, int b", "arg2"),
        ("double *a, int b", "arg2"),
    ],
)
def test_fractions_have_registers_of_their_own(signature: str, used: str) -> None:
    text = f'c:malloc({signature}) "%d", b'
    binding = binding_of("trace", saved_target("6.18"), probes=[text])
    (probe,) = binding.tool.probes.values()
    assert isinstance(probe.handler, WrittenFunction)
    assert list(probe.handler.tree.parameters) == [used]


def test_only_one_process() -> None:
    assert intention("c:malloc", pid=7) == Uprobe("c", ("malloc",), 7)
    assert intention("r:c:malloc", pid=7) == Uretprobe("c", ("malloc",), 7)
    assert intention("u:app:begin", pid=7) == Usdt("app", "begin", 7)


# What needs the kernel to be known; with the part of the text, and the hint.
UNKNOWN = [
    ("vfs_reed", "vfs_reed", "the kernel has no function 'vfs_reed'", "vfs_read"),
    ("__arm64_sys_read", "__arm64_sys_read", "the kernel has no function", ""),
    ("t:sched:sched_swich", "sched_swich", "the kernel has no tracepoint", "_switch"),
    ("c:mallok", "mallok", "there is no function mallok in c", ""),
    ("u:app:began", "began", "there is no USDT probe began in app", ""),
    ('f "%d", $nope', "f", "the kernel has no function 'f'", ""),
    ('vfs_read "%d", $pit', "$pit", "there is no $pit here", "$pid"),
    ('vfs_read "%d", cuont', "cuont", "there is no 'cuont' here", "count"),
    ('vfs_read "%d", retval', "retval", "there is no 'retval' here", ""),
    ('vfs_read "%d", args->x', "args", "there is no 'args' here", ""),
    (
        't:sched:sched_switch "%d", args->prev_pit',
        "args->prev_pit",
        "there is no 'prev_pit' here",
        "prev_pid",
    ),
    ('t:sched:sched_switch "%d", args->common_pid', "args->common_pid", "there", ""),
    ('vfs_read (count =) "x"', "=", "'=' would change something", "=="),
    ('vfs_read (count = 1) "x"', "=", "'=' would change something", "=="),
    ('vfs_read () "x"', ")", "the expression ends where a value is expected", ""),
    ('vfs_read "%d", file->f_fags', "file->f_fags", "struct file has no", "f_flags"),
    ('vfs_read "%d", file.f_flags', "file.f_flags", "'.' on ", "->f_flags"),
    ('vfs_read "%d", arg9', "arg9", "there is no 'arg9' here", "arg"),
    ('vfs_read "%d", foo(1)', "foo(1)", "there is no function foo() to call", ""),
    ('vfs_read "%d", (struct fiel *)arg1', "(struct fiel *)arg1", "this kernel", ""),
    ('vfs_read(int *x) "%d", *y', "y", "there is no 'y' here", ""),
    ('vfs_read(struct fiel *f) "%d", f', "f", "this kernel has no type", ""),
    ('vfs_read "%s", file->f_path', "file->f_path", "", ""),
    ('c:malloc(double a) "%d", a', "a", "a is a double, which BPF programs cannot", ""),
    ('c:malloc(struct stat s, int i) "%d", i', "malloc", "'struct stat s' is a", ""),
    ('vfs_read (buf == "x") "a"', '"x"', "a text in quotes is neither", "STRCMP"),
    ('vfs_read (STRCMP(buf, "a")) "x"', "buf", "the first argument of STRCMP()", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), UNKNOWN)
def test_what_the_kernel_lacks(text: str, place: str, message: str, hint: str) -> None:
    target = saved_target("6.18")

    def compiled() -> None:
        binding = binding_of("trace", target, probes=[text])
        for _, rung in candidates(binding, target):
            collection(rung, binding, target)

    error = refused(compiled)
    assert error.diagnostic.message.startswith(message)
    span = error.diagnostic.span
    assert span is not None and span.text == text
    assert text[span.column : span.end_column] == place
    assert hint in error.diagnostic.hint


def test_texts_that_no_record_can_have() -> None:
    target = saved_target("6.18")
    text = 'c:malloc "%s %s", arg1, arg2'
    binding = binding_of("trace", target, probes=[text], text_size=20000)
    _, rung = next(candidates(binding, target))
    error = refused(lambda: collection(rung, binding, target))
    assert "bytes together, more than 32" in error.diagnostic.message


def test_one_option_of_two() -> None:
    for options, said in (
        ({"pid": 1, "tid": 2}, "only one of -p and -L"),
        ({"aggregate": True, "count": 3, "format": "json"}, "-A shows a table"),
    ):
        error = refused(lambda o=options: intention("vfs_read", **o))
        assert said in error.diagnostic.message
