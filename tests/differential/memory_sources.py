"""Random pointers, structures and texts in kernel-side code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.differential import user_page
from tests.differential.expressions import Expression, ExpressionWriter
from tests.differential.model import BOOL, S64, U8, U16, U64, Type
from tests.differential.model_memory import KERNEL, TRUSTED, USER
from tests.differential.structures import (
    KERNEL_STRUCTURES,
    STRUCTURES,
    TARGETS,
    CArray,
    CField,
    CPointer,
    CStruct,
    CType,
    size_of,
)

BLOCK = CStruct(
    "Block",
    200,
    {
        "words": CField(0, CArray(U64, 20)),
        "text": CField(160, CArray(U8, 24)),
        "odd": CField(184, CArray(U16, 7)),
    },
)
"""What a pointer from the map `blocks` leads to; see `world.RECORDS`."""

BLOCK_BYTES = 198

AROUND_TASK = list(KERNEL_STRUCTURES.values())
_TEXT_OFFSETS = sorted(user_page.TEXTS)
_KNOWN_TEXTS = [*user_page.TEXTS.values(), b"ab", b"abcd", b"abcdefghi", b"python3"]


class Reference(NamedTuple):
    """A pointer or a place that a program has a name for.

    It leads to something in `space`; what is there may not be readable in user memory.
    """

    text: str
    target: CType | None
    space: str
    is_pointer: bool = True


class MemoryWriter(ExpressionWriter):
    """Writes what follows pointers: `references` are those at hand."""

    references: list[Reference]

    # Which pointers there are.

    def pointers(self, *targets: str) -> list[Reference]:
        """Those at hand, or only those to one of some types."""
        found = [r for r in self.references if r.is_pointer]
        wanted = [TARGETS[name] for name in targets]
        return [r for r in found if r.target in wanted] if targets else found

    def places(self) -> list[Reference]:
        """The texts in records at hand."""
        found = [r for r in self.references if not r.is_pointer]
        blocks = [r for r in self.references if r.target == BLOCK]
        text = BLOCK.fields["text"].type
        found += [Reference(f"{r.text}.text", text, r.space, False) for r in blocks]
        return found

    def task(self) -> Reference:
        """The current task, or one around it."""
        structure = KERNEL_STRUCTURES["task"]
        if self.chance(70):
            return Reference("bpf.task()", structure, TRUSTED)
        return Reference("bpf.kernel(bpf.task())", structure, KERNEL)

    def pointer(self) -> Reference:
        """Any pointer."""
        found = self.pointers()
        if not found or self.chance(25):
            return self.task()
        return self.one(found)

    # What is behind them.

    def read(self) -> Expression | None:
        if self.loops and not self.chance(15):
            return None
        known = [at for at in self.pointers() if at.space == USER]
        if known and self.chance(10):
            text = self.one(("bpf.address({})", "bpf.u64({})", "bpf.s64({})"))
            type_ = S64 if "s64" in text else U64
            return Expression(text.format(self.one(known).text), type_, False)
        places = self.places()
        if places and self.chance(10):
            return self.scalar(self.one(places))
        return self.scalar(self.pointer())

    def scalar(self, start: Reference) -> Expression | None:
        """A number behind a pointer, over a few steps."""
        at = start
        for _ in range(5):
            found = self._step(at)
            if not isinstance(found, Reference):
                return found
            at = found
        return None

    def _step(self, at: Reference) -> Reference | Expression | None:
        """Along a member or into an element."""
        target = at.target
        if isinstance(target, CArray):
            return self._element(at, target)
        if isinstance(target, CStruct) and target.fields:
            name = self.one(sorted(target.fields))
            return self._loaded(f"{at.text}.{name}", target.fields[name].type, at.space)
        if isinstance(target, CStruct) or target is None:
            return None
        index = self.number(0, 2)
        text = f"{at.text}.value" if index == 0 else f"{at.text}[{index - 1}]"
        return self._loaded(text, target, at.space)

    def _element(self, at: Reference, array: CArray) -> Reference | Expression | None:
        if self.chance(50):
            index = str(self.number(0, array.length - 1))
        elif self.loops:
            return None
        else:
            # Not a constant, which would have to be inside.
            name = self.variable()
            assert isinstance(name.kind, Type)
            type_ = Type(name.kind.bits, name.kind.signed)
            index = f"({name.text} ^ {self.typed(1).cast(type_).text})"
            if self.chance(60):
                index = f"({index} & {array.length - 1})"
        # A text may hold anything, and is a number of either sign.
        found = self._loaded(f"{at.text}[{index}]", array.element, at.space)
        return found

    def _loaded(self, text: str, type_: CType, space: str) -> Reference | Expression:
        if isinstance(type_, Type):
            return Expression(text, type_, False)
        if isinstance(type_, (CStruct, CArray)):
            return Reference(text, type_, space, False)
        return self.followed(text, type_, space)

    def followed(self, text: str, type_: CPointer, space: str) -> Reference:
        """A pointer that was read from memory."""
        name = type_.target
        target = TARGETS[name] if isinstance(name, str) else name
        if space == TRUSTED and not isinstance(target, CStruct):
            space = KERNEL
        return Reference(text, target, space)

    def text_at(self) -> Reference | None:
        """Text: an array of bytes, or what a pointer leads to."""
        kind = self.number(0, 8)
        places = self.places()
        if kind > 5 and places:
            return self.one(places)
        names = self.pointers("struct new_utsname")
        if kind == 5 and names:
            at = self.one(names)
            member = self.one(sorted(STRUCTURES["struct new_utsname"].fields))
            return Reference(f"{at.text}.{member}", CArray(U8, 65), at.space, False)
        if kind == 0:
            return Reference("bpf.comm()", CArray(U8, 16), TRUSTED, False)
        if kind == 1:
            task = self.task()
            path = self.one(("comm", "real_parent.comm", "group_leader.comm"))
            return Reference(f"{task.text}.{path}", CArray(U8, 16), task.space, False)
        if kind == 2:
            name = self.one(sorted(STRUCTURES["struct new_utsname"].fields))
            task = self.task()
            text = f"{task.text}.nsproxy.uts_ns.name.{name}"
            return Reference(text, CArray(U8, 65), task.space, False)
        found = self.pointers("char")
        return self.one(found) if found else None

    def user_address(self, target: CType | None) -> int:
        """Where something lies in user memory, as a rule."""
        if target == U8 and self.chance(80):
            return user_page.ADDRESS + self.one(_TEXT_OFFSETS) + self.number(0, 3)
        if self.chance(8):
            return self.one((0, 8, user_page.UNMAPPED, 1 << 63, (1 << 64) - 8))
        size = user_page.SIZE
        if self.chance(15):
            return user_page.ADDRESS + size - 8 * self.number(1, 8)
        return user_page.ADDRESS + 8 * self.number(0, size // 8 - 1)

    # Statements; `line` and the like are those of `Writer`.

    def point(self) -> None:
        """A name for a pointer."""
        kinds = [self._cast_number, self._task_pointer, self._around]
        if self.pointers():
            kinds += [self._cast_pointer, self._cast_pointer, self._follow]
            kinds += [self._chosen]
        found = self.one(kinds)()
        if found is None:
            return
        name = self.fresh("p")
        self.line(f"{name} = {found.text}")
        self.references.append(found._replace(text=name))

    def _target(self, names: Sequence[str] = ()) -> tuple[str, CType]:
        every = [*STRUCTURES, "char", "u8", "u16", "u32", "u64", "s16", "s32"]
        name = self.one(names or every)
        return name, TARGETS[name]

    def _cast_number(self, names: Sequence[str] = ()) -> Reference:
        name, target = self._target(names)
        address = self.user_address(target)
        text = f'bpf.user(bpf.cast({address:#x}, "{name} *"))'
        if self.chance(30):
            text = f'bpf.cast(bpf.user(bpf.cast({address:#x}, "u8 *")), "{name} *")'
        return Reference(text, target, USER)

    def _task_pointer(self) -> Reference:
        task = self.task()
        path = self.one(("real_parent", "group_leader", "nsproxy", "cred", ""))
        if not path:
            return task
        assert isinstance(task.target, CStruct)
        type_ = task.target.fields[path].type
        assert isinstance(type_, CPointer)
        return self.followed(f"{task.text}.{path}", type_, task.space)

    def _cast_pointer(self) -> Reference | None:
        """The same bytes seen in another way."""
        at = self.one(self.pointers())
        name, target = self._target()
        if at.target == BLOCK:
            return self._into_block(at, name, target)
        if at.space != USER:
            return None
        text, offset = at.text, 8 * self.number(0, 3)
        if offset:
            text = f"(bpf.address({text}) + {offset})"
            cast = f'bpf.user(bpf.cast({text}, "{name} *"))'
        else:
            cast = f'bpf.cast({text}, "{name} *")'
        return Reference(cast, target, USER)

    def _into_block(self, at: Reference, name: str, target: CType) -> Reference | None:
        """Bytes of a map's value as kernel memory, of which there must be enough."""
        if at.space != KERNEL and self.chance(40):
            return Reference(f"bpf.kernel({at.text})", BLOCK, KERNEL)
        size = 2 * size_of(target)
        if isinstance(target, CStruct):
            size = size_of(target)
        if size > BLOCK_BYTES or target == U8:
            return None
        offset = self.number(0, (BLOCK_BYTES - size) // 8) * 8
        if offset == 0 and self.chance(50):
            return Reference(f'bpf.cast({at.text}, "{name} *")', target, KERNEL)
        text = f'bpf.cast(bpf.address({at.text}) + {offset}, "{name} *")'
        return Reference(text, target, KERNEL)

    def _follow(self) -> Reference | None:
        """A pointer that is found behind another one."""
        at: Reference | Expression | None = self.one(self.pointers())
        for _ in range(4):
            assert isinstance(at, Reference)
            at = self._step(at)
            if not isinstance(at, Reference):
                return None
            if at.is_pointer:
                known = at.space != KERNEL or at.target in AROUND_TASK
                return at if at.target is not None and known else None
        return None

    def _around(self) -> Reference | None:
        """The structure around a member."""
        kinds = ("struct itimerspec64", "struct sockaddr_in", "struct iovec")
        found = self.pointers(*kinds)
        at = self.one(found) if found else self._cast_number(kinds)
        assert isinstance(at.target, CStruct)
        member = self.one(sorted(at.target.fields))
        type_ = at.target.fields[member].type
        name = at.target.name
        inner = f"{at.text}.{member}"
        if not isinstance(type_, (CStruct, CArray)):
            member = next(iter(at.target.fields))
            inner = at.text
        text = f'bpf.container_of({inner}, "{name}", "{member}")'
        space = USER if at.space == USER else KERNEL
        return Reference(text, at.target, space)

    def _chosen(self) -> Reference | None:
        """One of two pointers of the same kind."""
        at = self.one(self.pointers())
        same = [
            r for r in self.pointers() if r.target == at.target and r.space == at.space
        ]
        other = self.one(same)
        return at._replace(text=f"{at.text} if {self.test(1).text} else {other.text}")

    def pointer_test(self) -> Expression | None:
        """A condition about pointers or texts."""
        kind = self.number(0, 5)
        if kind <= 2:
            found = self.text_at()
            return None if found is None else self._text_test(found, kind)
        at = self.pointer()
        if kind == 3:
            text = self.one(("{} is None", "{} is not None", "not {}", "{}"))
            return Expression(f"({text.format(at.text)})", BOOL, False)
        same = [r for r in self.pointers() if r.target == at.target]
        if not same:
            return None
        operator = self.one(("==", "!="))
        return Expression(f"({at.text} {operator} {self.one(same).text})", BOOL, False)

    def _text_test(self, at: Reference, kind: int) -> Expression:
        if kind == 0 and not at.is_pointer:
            return Expression(f"({self.one(('', 'not '))}{at.text})", BOOL, False)
        known = self.one(_KNOWN_TEXTS)
        operator = self.one(("==", "!="))
        return Expression(f"({at.text} {operator} {known!r})", BOOL, False)
