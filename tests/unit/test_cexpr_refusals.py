"""C expressions that the compiler refuses, and what it says."""

from __future__ import annotations

import pytest

from skep.errors import CompileError
from tests.differential.c_expressions import compile_expression
from tests.fixtures import saved_target

TYPES = {"n": "u64", "i": "s32", "task": "struct task_struct *", "p": "void *"}

CASES = [
    ("n->pid", "n", "this is u64, no pointer"),
    ("*n", "n", "this is u64, no pointer"),
    ("n[1]", "n[1]", "u64 has no elements"),
    ("n.pid", "n.pid", "u64 has no members, so no 'pid'"),
    ("task.pid", "task.pid", "'.' on struct task_struct *, which is a pointer"),
    (
        "task->se->vruntime",
        "task->se->vruntime",
        "'->' on struct sched_entity, which is no pointer",
    ),
    ("task->pidd", "task->pidd", "struct task_struct has no member 'pidd'"),
    ("task->pid.x", "task->pid.x", "s32 has no members, so no 'x'"),
    ("p->x", "p->x", "what this points to is not known, so it has no member 'x'"),
    ("*p", "*p", "this pointer leads to memory of unknown type"),
    ("task->comm[16]", "task->comm[16]", "index 16 is outside of u8[16]"),
    ("(struct task_strukt *)n", "(struct task_strukt *)n", None),
    ("(struct task_struct)n", "(struct task_struct)n", None),
    ("task * 2", "task * 2", "'*' on struct task_struct * and s32"),
    ("task + task", "task + task", None),
    ("-task", "-task", "'-' of struct task_struct *"),
    ("~task", "~task", "'~' of struct task_struct *"),
    ("task->se + 1", "task->se", "struct sched_entity is neither number nor pointer"),
    ("!task->se", "task->se", "struct sched_entity is neither number nor pointer"),
    ("i ? task : n", "i ? task : n", None),
    ("i ? task : task->mm", "i ? task : task->mm", None),
    ("&n", "&n", "this has no address: '&' is for members, elements and '*p'"),
    ("&(n + 1)", "&(n + 1)", None),
    (
        "&task->sched_reset_on_fork",
        "&task->sched_reset_on_fork",
        "a bit field has no address",
    ),
    ("sizeof(void)", "sizeof(void)", "void has no size"),
    ("task - p", "task - p", "'-' on struct task_struct * and void *"),
    ('"a" + 1', '"a"', "a text in quotes is neither number nor pointer"),
    ("STRCMP(n, task->comm)", "n", None),
    ('STRCMP("a", 1)', "1", "s32 does not point to text"),
    ('STRCMP("a")', 'STRCMP("a")', "STRCMP() takes 2 arguments, not 1"),
    ("STRCPM(n)", "STRCPM(n)", "there is no function STRCPM() to call"),
    ("bpf_ktime_get_ns(1)", "bpf_ktime_get_ns(1)", None),
    ("nope + 1", "nope", "there is no 'nope'"),
]


@pytest.mark.parametrize(("text", "marked", "message"), CASES, ids=lambda v: str(v))
def test_refused(text: str, marked: str, message: str | None) -> None:
    with pytest.raises(CompileError) as caught:
        compile_expression(text, TYPES, saved_target("6.18"))
    diagnostic = caught.value.diagnostic
    span = diagnostic.span
    assert span is not None
    assert text[span.column : span.end_column] == marked
    if message is not None:
        assert diagnostic.message == message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("n->pid", "say what it points to: '((struct TYPE *) …)->pid'"),
        ("task.pid", "write '->pid'"),
        ("task->se->vruntime", "write '.vruntime'"),
        ("(struct task_strukt *)n", "did you mean task_struct"),
        ("(struct task_struct)n", "a pointer can: '(struct task_struct *) …'"),
        ("STRCPM(n)", "did you mean STRCMP?"),
        ("EPRM", "did you mean EPERM"),
        ("tsk->pid", "did you mean task?"),
    ],
)
def test_hint(text: str, hint: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_expression(text, TYPES, saved_target("6.18"))
    assert hint in caught.value.diagnostic.hint
