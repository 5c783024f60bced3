"""Probes of `trace` that are right, and how to spoil them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

GOOD = (
    # Functions of the kernel: arguments by name, by number, and from a signature.
    'vfs_read "%d bytes", count',
    'vfs_read (count > 4096) "read %d bytes of %s", count,'
    " file->f_path.dentry->d_name.name",
    "p::vfs_read",
    'r::vfs_read "%ld", retval',
    'r::vfs_read ((long)retval < 0 || retval == 7) "error %d", retval',
    'vfs_write(struct file *f, const char *b, size_t n) (n % 13 == 1) "%lu %p", n, b',
    'vfs_read (file->f_mode & FMODE_WRITE && !(file->f_flags & O_DIRECT)) "%x",'
    " file->f_flags",
    'vfs_open "%s in %s", path->dentry->d_name.name,'
    " path->dentry->d_parent->d_name.name",
    'vfs_open "%llu %hd", path->dentry->d_inode->i_ino, path->mnt->mnt_flags',
    'do_sys_openat2 "%d %s %o", dfd, arg2@user, how->flags',
    'do_sys_openat2 (STRCMP("/etc", arg2@user)) "[%-30.20s]", filename',
    'vfs_write (STRCMP("tty", file->f_path.dentry->d_name.name)) "%s", buf',
    'vfs_fsync_range "%s", file->f_inode->i_sb->s_id',
    'xfs_file_read_iter "%lld", iocb->ki_pos',
    'vfs_read+0x10 "%s", $task->comm',
    'p::vfs_unlink "%K", arg1',
    'tcp_v4_connect "%d", ((struct sock *)arg1)->__sk_common.skc_family',
    'tcp_v4_connect "%hu", ntohs(((struct sockaddr_in *)uaddr)->sin_port)',
    'tcp_v4_connect (sk->__sk_common.skc_state == TCP_CLOSE) "%u", sizeof(*sk)',
    'vfs_read "%d", $task->real_parent->tgid',
    'vfs_read "%d %u %u %d", $pid, $uid, $gid, $cpu',
    'vfs_read "%c%c", $task->comm[0], $task->comm[count & 15]',
    'vfs_read (count > 100 ? count < 200 : *pos == 0) "x"',
    'vfs_read (*pos >> 12 != 0) "%llx %#010x", *pos, (u32)*pos',
    'vfs_read "%d", ((struct task_struct *)$task)->mm->arg_end'
    " - ((struct task_struct *)$task)->mm->arg_start",
    # System calls.
    'p::sys_openat "%s", filename',
    'sys_read (fd == 3) "%d", count',
    '__x64_sys_write (count % 7 == 0) "%zu bytes: %.10s", count, buf',
    'p::__x64_sys_kill(int pid, int sig) (sig == SIGTERM) "%d gets %d", pid, sig',
    'r::sys_openat (retval >= 0) "%d %s", (int)retval, filename',
    'r::sys_read (retval == -EAGAIN || retval == -11) "%d"  , -retval',
    'sys_connect "%d", arg3',
    'sys_kill "%s %s", (sig ? "signal" : "test"), pid > 1 ? $task->comm : "init"',
    'sys_execve "%s", filename',
    # Tracepoints.
    't:sched:sched_process_exec "%s %d", args->filename, args->pid',
    't:sched:sched_switch (args->prev_state) "%s -> %s", args->prev_comm,'
    " args->next_comm",
    't:sched:sched_switch (args->prev_prio < args->next_prio) "%d %d%%",'
    " args->prev_pid, args->next_pid",
    't:block:block_rq_issue (args->nr_sector > 8) "%d %s", args->nr_sector, args->rwbs',
    't:sock:inet_sock_set_state (args->newstate == TCP_ESTABLISHED) "%d", args->sport',
    't:syscalls:sys_enter_openat "%s", args->filename',
    't:syscalls:sys_exit_read (args->ret < 0) "%d", args->ret',
    't:raw_syscalls:sys_enter (args->id == 39) "%lx", args->args[2]',
    't:signal:signal_generate "%d to %s", args->sig, args->comm',
    "t:task:task_newtask",
    # Functions of programs.
    'c:malloc "%lu", arg1',
    'p:c:open(const char *path, int flags) (flags & O_CREAT) "%s", path',
    'r:c:malloc (retval == 0) "no memory"',
    'r:c:open(const char *path, int flags) "%s: %d", path, (int)retval',
    'c:getenv (STRCMP("LC_", arg1)) "%s", arg1',
    "c:malloc+0",
    'c:memcpy "%p %p %zu", arg1, arg2, arg3',
    'p:c:free "%U", arg1',
    'c:gettimeofday(struct timespec *tv) "%ld", tv->tv_sec',
    'c:strlen "%c", *(char *)arg1',
    'c:write(int fd, char *text, size_t n) (fd == 2 && text[0] == 65) "%s", text',
    'c:qsort "%d", sizeof(struct file) + sizeof(int) * arg2 / (arg3 | 1)',
    # USDT.
    'u:c:memory_sbrk_more "%lx %d", arg1, arg2',
    'u:c:libc:memory_heap_new (arg2 > 0) "%d", arg2',
    "u:c:setjmp",
    # Without values, with odd space.
    '  vfs_write  ( count )   "wrote\\t\\"%%\\"" ',
    '::vfs_read "%5d|%-5d|%05d|%+d|% d", count, count, count, count, count',
    'vfs_read "%hhu %hhd %hx %lX", count, count, count, count',
)
"""Probes that parse; what they name is in most of the saved kernels."""

_TOKEN = re.compile(r"\s+|\w+|->|&&|\|\||<<|>>|[=!<>]=|.", re.DOTALL)

_GARBAGE = (
    *("(", ")", '"', ",", "->", ".", "[", "]", "*", "&", "!", "~", "-", "?", ":", "+"),
    *("==", "<<", ">>", "&&", "||", "/", "%", "0", "-1", "0x7fffffffffffffff", "1ULL"),
    *("4294967296", "07", "'a'", '"x"', "%s", "%d", "%", "%n", "%-0+99s", "\\", "\0"),
    *("sizeof", "(int)", "(char *)", "(struct file *)", "(void *)", "(bool)", "(u8)"),
    *(
        "arg1",
        "arg7",
        "retval",
        "args->",
        "$task",
        "$task->mm",
        "$pid",
        "$nope",
        "@user",
    ),
    *("STRCMP", 'STRCMP("a", arg1)', "NULL", "struct", "unsigned", "(long long)", "{"),
    *("count", "file", "file->f_inode", "*file", "&file->f_path", "args->filename"),
    *("$task->comm", "$task->cred->uid", "$task->comm[3]", "&$task->pid", "é", "\n"),
    *("(signed char)", "(struct task_struct)", "ntohs(arg1)", "1 / 0", "x", "1.5", "="),
    *("-> pid", "[100]", "[-1]", "[arg1]", "(enum pid_type)", "PIDTYPE_TGID", "%5$d"),
)
"""Pieces that may make sense where they are put, or not."""


_PLACE = re.compile(r"[^\s(]+(?:\([^)]*\))?")
_QUOTED = re.compile(r'"[^"]*"')
_OPERAND = re.compile(
    r"\b(?!struct|sizeof|int|long|char|STRCMP|ntohs)"
    r"(?:\w+(?:->|\.))*[a-z]\w+\b(?! *\*\)|\()"
)

_CASTS = (
    *("(int)", "(u8)", "(long)", "(unsigned)", "(bool)", "(s16)", "(char)", "(u64)"),
    *("(char *)", "(struct file *)", "(struct task_struct *)", "(int *)", "(void *)"),
)
_BINARY = (
    *("+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"),
    *("<", ">", "<=", ">=", "==", "!=", "&&", "||"),
)
_BEHIND = ("->pid", "->comm", "->f_inode", "[0]", "[3]", ".name", "->mm", "[$cpu]")
_KINDS = (
    *("leaf", "leaf", "leaf", "leaf", "binary", "binary", "binary", "binary"),
    *("cast", "cast", "unary", "conditional", "member", "compare"),
)
_LEAVES = (
    *("0", "1", "-1", "63", "1ULL << 40", "0x80000000", "'x'", "O_CREAT", "EPERM"),
    *("$task", "$pid", "$uid", "$cpu", "$task->comm", "$task->mm", "$task->flags"),
    *("arg1", "arg2", "retval", "sizeof(int)", '"text"', "$task->real_parent->comm"),
)


def mutants(random_: random.Random) -> Iterator[str]:
    """Texts without end: good ones, spoilt once or a few times, or with expressions by
    chance."""
    while True:
        if random_.random() < 0.5:
            yield _by_chance(random_.choice(GOOD), random_)
            continue
        text = random_.choice(GOOD)
        for _ in range(random_.choice((1, 1, 1, 2, 2, 3, 5))):
            text = _spoilt(text, random_)
        yield text


def _by_chance(text: str, random_: random.Random) -> str:
    """A probe at the place of another, with C made of the same words."""
    place = _PLACE.search(text)
    assert place is not None
    operands = _OPERAND.findall(_QUOTED.sub("", text[place.end() :])) or ["arg1"]
    count = random_.randrange(4)
    kinds = ("%d", "%lx", "%s", "%c", "%llu", "%hd", "%-8.3s", "%p")
    format_ = " ".join(random_.choice(kinds) for _ in range(count))
    values = "".join(f", {_expression(operands, random_, 2)}" for _ in range(count))
    test = f" ({_expression(operands, random_, 3)})" if random_.random() < 0.6 else ""
    return f'{place[0]}{test} "{format_}"{values}'


def _expression(operands: list[str], random_: random.Random, depth: int) -> str:
    """C that has the right form."""
    kind = random_.choice(_KINDS) if depth else "leaf"

    def inner() -> str:
        return _expression(operands, random_, depth - 1)

    if kind == "leaf":
        return random_.choice((*operands, *operands, random_.choice(_LEAVES)))
    if kind == "binary":
        return f"{inner()} {random_.choice(_BINARY)} {inner()}"
    if kind == "cast":
        return f"{random_.choice(_CASTS)}({inner()})"
    if kind == "unary":
        return f"{random_.choice('-!~*&')}{inner()}"
    if kind == "conditional":
        return f"({inner()} ? {inner()} : {inner()})"
    if kind == "member":
        return f"({inner()}){random_.choice(_BEHIND)}"
    text = random_.choice(('"a"', '"tty"', inner()))
    return f"STRCMP({text}, {inner()})"


def _spoilt(text: str, random_: random.Random) -> str:
    """The text with one change."""
    if random_.random() < 0.2:
        return "".join(_changed(list(text), list(random_.choice(GOOD)), random_))
    other = _TOKEN.findall(random_.choice(GOOD))
    return "".join(_changed(_TOKEN.findall(text), other, random_))


def _changed(pieces: list[str], other: list[str], random_: random.Random) -> list[str]:
    """The pieces with some of them cut out, doubled, swapped or put in; `other` are
    those of a second text."""
    if not pieces:
        return [random_.choice(_GARBAGE)]
    at, to = (random_.randrange(len(pieces)) for _ in range(2))
    first, last = min(at, to), max(at, to)
    kind = random_.randrange(8)
    if kind == 0:
        return pieces[:at]
    if kind == 1:
        return pieces[:at] + pieces[at + random_.choice((1, 1, 2, 5)) :]
    if kind == 2:
        return pieces[: at + 1] + pieces[at:]
    if kind == 3:
        pieces[at], pieces[to] = pieces[to], pieces[at]
        return pieces
    if kind == 4:
        return pieces[:first] + other[first:last] + pieces[last:]
    replaced = 1 if kind == 5 else 0
    return [*pieces[:at], random_.choice(_GARBAGE), *pieces[at + replaced :]]
