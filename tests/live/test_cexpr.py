"""C expressions about the kernel's structures: they load wherever the kernel lets a
program load, and what they give is true of the task that runs them."""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path

from skep.compiler.program import Compiled
from skep.errors import NotPermitted
from skep.probes import intention
from skep.runtime.collection import Collection
from skep.spec import CollectionSpec
from skep.target import Target
from tests.differential.c_expressions import compile_expression, compiled_at
from tests.live import support

TASK = "((struct task_struct *)bpf_get_current_task())"

ABOUT_TASK = [
    "T->tgid",
    "T->mm != NULL && T->mm->owner == T->group_leader",
    "T->real_parent->tgid",
    "T->real_parent->real_parent->real_parent->pid",
    "T->comm[0]",
    "T->comm[T->pid & 15]",
    "*T->comm == 'x' ? T->comm[1] : T->comm[2]",
    "!T->mm || T->mm->mm_users.counter > 0",
    "T->files->fdt->fd[2]->f_mode & FMODE_WRITE",
    "T->files->fdt->fd[T->pid & 3]->f_path.dentry->d_name.name[0]",
    "T->nsproxy->uts_ns->name.nodename[0]",
    "T->sched_reset_on_fork + T->in_execve",
    "&T->children == T->children.next",
    "(u64)&T->comm - (u64)T",
    "(u8)(unsigned long)T & 7",
    "(char *)T->mm - (char *)T",
    "T - (struct task_struct *)0",
    "*(u32 *)&T->tgid == T->tgid",
    "((struct task_struct *)((u64)T + 0))->pid",
    "(T + 1)->pid",
    "T[1000000].pid",
    "(&T->se)->vruntime",
    "T->mm->exe_file->f_path.dentry->d_name.name[0]",
    "*T->mm->exe_file->f_path.dentry->d_name.name",
    "T->mm->exe_file->f_op->read == NULL",
    "*T->files->fdt->fd == T->files->fdt->fd[0]",
    "T->files->fdt->fd[0]->f_flags & O_APPEND",
    "T->cred->uid.val + T->signal->rlim[3].rlim_cur",
    "T->sched_class == (void *)T->stack",
    "*(long *)T->stack",
    "*&T->pid",
    "(T->pid ? T : T->real_parent)->pid",
    "(T->pid ? T->mm : NULL)->owner->pid",
    "T < (struct task_struct *)4096",
    "T > T->real_parent",
    "(bool)T->mm",
    "(_Bool)T",
    "-(long)T / 3 % 7 << 2",
    'STRCMP("sw", T->comm)',
    'STRCMP("a long text of more than thirty-two bytes", T->comm)',
    "sizeof(*T) + sizeof(T->comm) + sizeof T",
    "bpf_get_current_pid_tgid() >> 32 == T->tgid",
    "((struct task_struct *)0)->pid",
    "*(int *)0",
    "T->stack_canary / T->pid",
]


def instead(text: str, task: str) -> str:
    return re.sub(r"\bT\b", task, text)


def returned(compiled: Compiled) -> int:
    """What the kernel gives for a program, 0 for one that need not be loaded."""
    if compiled.program is None:
        return 0
    spec = CollectionSpec(list(compiled.maps.values()), [compiled.program])
    with Collection.load(spec) as collection:
        (program,) = collection.programs
        return program.test_run([0] * 8)


class CurrentTask(unittest.TestCase):
    """In programs run by BPF_PROG_TEST_RUN: the task is this test."""

    def value(self, text: str) -> int:
        text = instead(text, TASK)
        return returned(compile_expression(text, {}, Target.from_host()))

    def test_ids(self) -> None:
        self.assertEqual(self.value("T->tgid"), os.getpid())
        self.assertEqual(self.value("T->real_parent->tgid"), os.getppid())
        self.assertEqual(self.value("bpf_get_current_uid_gid()"), os.getuid())

    def test_names(self) -> None:
        comm = Path("/proc/self/comm").read_text().strip()
        self.assertEqual(self.value(f'STRCMP("{comm}", T->comm)'), 1)
        self.assertEqual(self.value(f'STRCMP("{comm[:3]}", T->comm)'), 1)
        self.assertEqual(self.value(f'STRCMP("{comm}x", T->comm)'), 0)
        self.assertEqual(self.value('STRCMP("", T->comm)'), 1)
        self.assertEqual(self.value("T->comm[1]"), ord(comm[1]))
        self.assertEqual(self.value("*(T->comm + 2)"), ord(comm[2]))
        self.assertEqual(self.value("*&T->comm[T->pid - T->pid + 1]"), ord(comm[1]))

    def test_open_file(self) -> None:
        name = Path(__file__).name
        with open(__file__, "rb") as file:
            entry = f"T->files->fdt->fd[{file.fileno()}]"
            path = f"{entry}->f_path.dentry->d_name.name"
            self.assertEqual(self.value(f'STRCMP("{name}", {path})'), 1)
            self.assertEqual(self.value(f"{path}[0]"), ord(name[0]))
            mode = f"{entry}->f_mode & (FMODE_READ | FMODE_WRITE)"
            self.assertEqual(self.value(mode), 1)

    def test_user_memory(self) -> None:
        # The stack of a new program begins with its arguments.
        argument = Path("/proc/self/cmdline").read_bytes().split(b"\0")[0].decode()
        start = "(char __user *)T->mm->arg_start"
        self.assertEqual(self.value(f'STRCMP("{argument}", {start})'), 1)

    def test_null(self) -> None:
        self.assertEqual(self.value("((struct task_struct *)0)->real_parent->pid"), 0)
        self.assertEqual(self.value("((struct task_struct *)NULL)->comm[3]"), 0)


@support.only_on("5.10", "7.2")
class Loading(unittest.TestCase):
    """What the verifier says to expressions over arguments whose types it knows."""

    def loads(self, probe: intention.Intention, parameter: str, text: str) -> None:
        for candidate, compiled in compiled_at(
            text, probe, [parameter], Target.from_host()
        ):
            with self.subTest(text, kind=candidate.sites[0].attach.kind):
                self.load(compiled)

    def load(self, compiled: Compiled) -> None:
        assert compiled.program is not None
        spec = CollectionSpec(list(compiled.maps.values()), [compiled.program])
        with Collection() as collection:
            try:
                collection.add(spec, attached=False)
            except NotPermitted:
                self.assertEqual(compiled.program.attach.kind, "fentry")

    def test_tasks_of_a_tracepoint(self) -> None:
        probe = intention.RawTracepoint("sched_switch")
        for text in ABOUT_TASK:
            text = re.sub(r"\bT\b", "next", text)
            if not re.search(r"\bnext\b(?!;)", text.replace(".next", "")):
                continue
            self.loads(probe, "next", text)

    def test_current_task(self) -> None:
        for text in ABOUT_TASK:
            text = f"({instead(text, TASK)}) + bpf_get_prandom_u32()"
            with self.subTest(text):
                returned(compile_expression(text, {}, Target.from_host()))

    def test_file_of_a_function(self) -> None:
        path = "file->f_path.dentry->d_name.name"
        probe = intention.FunctionEntry(("vfs_read",))
        for text in (
            f'STRCMP("null", {path})',
            f"{path}[0] + file->f_inode->i_sb->s_type->fs_flags",
            "file->f_mode & FMODE_READ && file->f_path.mnt == NULL",
            "(char *)file + 3 == 0 || ((struct file *)file)->f_mode",
        ):
            self.loads(probe, "file", text)


if __name__ == "__main__":
    unittest.main()
