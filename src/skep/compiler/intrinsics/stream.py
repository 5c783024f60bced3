"""The methods of streams: building a record and sending it.

A small record is put together on the stack; a large one in a per-CPU map that one
program at a time may use.  Text goes to the record's end, only the bytes that are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skep.compiler import ir, tree
from skep.compiler.arithmetic import convert, expect_number
from skep.compiler.calls import filled
from skep.compiler.environment import EmittedField, StreamObject
from skep.compiler.intrinsics.maps import find_or_create, positional
from skep.compiler.intrinsics.memory import pointer_argument
from skep.compiler.intrinsics.registry import Arguments, intrinsic, method
from skep.compiler.intrinsics.stacks import StackTrace, copy_stack
from skep.compiler.ir import Address, Imm, Slot
from skep.compiler.scope import Scratch
from skep.compiler.types import U8, U64, Array, Pointer
from skep.compiler.values import Place, Register, Static, Value, type_name
from skep.errors import CompileError, Span
from skep.named_tuple import NamedTuple
from skep.spec import FieldLayout, MapSpec

if TYPE_CHECKING:
    from skep.compiler.walker import Walker

STACK_RECORD_LIMIT = 320
"""Bytes of the largest record that is built on the stack, which has 512."""

LARGEST_PER_CPU = 32768
"""Bytes of a value of which each CPU has one (PCPU_MIN_UNIT_SIZE, linux/percpu.h)."""

SCRATCH_HEADER = 8
"""Bytes before the record in a scratch element: whether it is in use, and how much."""

USED_OFFSET = 4
"""Where the number of used bytes is in a scratch element."""

STRING_LIMIT = 4096
"""Bytes of the longest string in a list of strings, as PATH_MAX."""

_HIDDEN = "texts in the kernel's memory are left out: it is locked down"


class Row(NamedTuple):
    """A record under construction, `start` bytes behind `base`, begun in `depth` loops.

    How many of its bytes are used is in the register `used` for a record on the stack.
    For one in the scratch map it is in the map, too: what the verifier loads from there
    is any number, so that it need not follow each way in which each of several strings
    may have been read, and a test before every use bounds it anew.
    """

    stream: StreamObject
    base: int | Slot
    start: int
    depth: int
    used: int = -1


class Region(NamedTuple):
    """Bytes of memory that go to a record's end as they are: `bpf.memory(...)`."""

    address: Register
    length: Register
    space: str


@intrinsic("memory", "pointer", "length")
def memory(walker: Walker, arguments: Arguments) -> Value:
    """`length` bytes behind a pointer, for `append` and for a field that is a tail."""
    pointer = pointer_argument(walker, arguments, "pointer")
    number = expect_number(arguments["length"], arguments.call.span)
    length = convert(walker.builder, number, U64)
    register = Register(walker.builder.move(walker.builder.operand(length, True)), U64)
    space = pointer.type.space if isinstance(pointer.type, Pointer) else "kernel"
    return Static(Region(pointer, register, space))


@method(StreamObject, "emit")
def emit(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Send a record; fields are given by name, but those of the current task."""
    assert isinstance(owner, StreamObject)
    row = _begin(walker, owner, call)
    return _finish(walker, row, call)


@method(StreamObject, "begin")
def begin(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Start a record whose text is appended piece by piece.

    While another program of this CPU is at it, a loss is counted and the program ends.
    """
    assert isinstance(owner, StreamObject)
    positional(call)
    if owner.layout.tail_kind == "string":
        raise CompileError(
            f"{owner.layout.name} has one text, not a list of them",
            call.span,
            hint=f"give it to emit(): emit({owner.layout.tail}=...)",
        )
    return Static(_begin(walker, owner, call, owner.layout.tail is not None))


@method(Row, "append")
def append(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Append a string (or `bpf.memory(...)`) to the record's text.

    What does not fit any more is left out; the reader sees that the text is cut.
    """
    assert isinstance(owner, Row)
    (text,) = positional(call, "text")
    _require_begun(walker, owner, call)
    if owner.stream.layout.tail is None:
        return Static(None)  # the text is not shown in this run
    _append(walker, owner, walker.value(text), text.span)
    return Static(None)


@method(Row, "emit")
def emit_row(walker: Walker, owner: object, call: tree.Call) -> Value:
    """Send the record with the fields given by name."""
    assert isinstance(owner, Row)
    return _finish(walker, owner, call)


def _record_limit(stream: StreamObject) -> int:
    """The size of the largest record: one byte of text more than is shown tells that
    text was cut, and another is its NUL."""
    layout = stream.layout
    return layout.size + (layout.tail_max + 2 if layout.tail else 0)


def _begin(
    walker: Walker, stream: StreamObject, call: tree.Call, growing: bool = False
) -> Row:
    """Start a record; one that is `growing` may get several pieces of text."""
    limit = _record_limit(stream)
    growing = growing or stream.layout.tail_kind == "strings"
    if not growing and limit <= STACK_RECORD_LIMIT:
        slot = walker.builder.shared_slot(limit, f"record {stream.layout.name}")
        used = walker.builder.constant(stream.layout.size)
        return Row(stream, slot, 0, walker.builder.depth, used)
    return _begin_scratch(walker, stream, limit, call)


def _begin_scratch(
    walker: Walker, stream: StreamObject, limit: int, call: tree.Call
) -> Row:
    """Take the per-CPU scratch record, unless an interrupted program is using it.

    Programs at tracepoints run with preemption disabled, so only an interrupt can come
    in between, and it has finished when the interrupted program goes on.
    """
    b = walker.builder
    # Appending may overshoot by the longest piece before it is noticed.
    size = SCRATCH_HEADER + -(-(limit + _longest_piece(stream)) // 8) * 8
    if size > LARGEST_PER_CPU:
        raise CompileError(
            f"the texts of a record take {limit} bytes together, more than"
            f" {LARGEST_PER_CPU - (size - limit)}",
            call.span,
            hint="show fewer of them, or less of each",
        )
    spec = MapSpec(f"{stream.layout.name}_scratch", "percpu_array", 4, size, 1)
    _give_up(walker, spec, stream.layout.name, call)
    key = b.shared_slot(4, "key")
    b.store(key, 0, Imm(0), 4)
    base = find_or_create(walker, spec, Address(key))
    walker.scratch[base] = Scratch(spec, b.depth)
    busy, free = b.new_block(cold=True), b.new_block()
    in_use = b.load(base, 0, 4)
    b.finish(ir.Branch("!=", in_use, Imm(0), False, busy, free))
    b.start(busy)
    b.add_to_ledger("scratch busy")
    walker.leave()
    b.start(free)
    b.store(base, 0, Imm(1), 4)
    b.store(base, USED_OFFSET, Imm(stream.layout.size), 4)
    walker.flow.held |= {base}
    return Row(stream, base, SCRATCH_HEADER, b.depth)


def _give_up(walker: Walker, spec: MapSpec, name: str, call: tree.Call) -> None:
    """Give back the record of this kind that is in use here, as another one begins.

    Whether there is one may depend on an option, so that it cannot be an error.
    """
    for base in walker.flow.held:
        scratch = walker.scratch[base]
        if scratch.spec != spec:
            continue
        if scratch.depth < walker.builder.depth:
            raise CompileError(
                f"another {name} was begun outside of the loop and not sent yet",
                call.span,
                hint="emit() it first",
            )
        walker.release(walker.flow.held - {base})
        walker.flow.held -= {base}


def _used(walker: Walker, row: Row) -> int:
    """A register with the number of bytes that are used."""
    if isinstance(row.base, Slot):
        return row.used
    return walker.builder.load(row.base, USED_OFFSET, 4)


def _use(walker: Walker, row: Row, length: int) -> None:
    """Add to the number of bytes that are used."""
    used = _used(walker, row)
    walker.builder.alu("+", used, length)
    if isinstance(row.base, int):
        walker.builder.store(row.base, USED_OFFSET, used, 4)


def _longest_piece(stream: StreamObject) -> int:
    if stream.layout.tail_kind == "string":
        return 0  # which there is only one of, at a place that is known
    return stream.layout.tail_max + 2


def _finish(walker: Walker, row: Row, call: tree.Call) -> Value:
    """Fill in the fields, send the record and give the scratch record back."""
    if call.arguments:
        raise CompileError("fields are given by name", call.arguments[0].span)
    _require_begun(walker, row, call)
    if walker.builder.depth > row.depth:
        raise CompileError(
            "this record was begun outside of the loop",
            call.span,
            hint="begin() it in the loop, too",
        )
    given = dict(call.keywords)
    _check_names(row.stream, given, call)
    layout = row.stream.layout
    _fill_fixed(walker, row, given, call)
    b = walker.builder
    used: ir.Argument = Imm(layout.size)
    if layout.tail and layout.tail in given:
        expression = given[layout.tail]
        _append(walker, row, walker.value(expression), expression.span)
    if layout.tail:
        used = _used(walker, row)
        if isinstance(row.base, int):
            _cut(walker, used, _record_limit(row.stream))
    record = walker.access.address(row.base, row.start)
    ring = b.map(row.stream.ring)
    result = b.call("ringbuf_output", ring, record, used, Imm(0))
    if not isinstance(row.base, Slot):
        b.store(row.base, 0, Imm(0), 4)
        walker.flow.held -= {row.base}
    b.count_loss("ring full", "!=", result)
    return Static(None)


def _require_begun(walker: Walker, row: Row, call: tree.Call) -> None:
    if not isinstance(row.base, Slot) and row.base not in walker.flow.held:
        raise CompileError(
            "this record may have been sent already, or another one was begun",
            call.span,
            hint="begin() starts another one",
        )


def _check_names(
    stream: StreamObject, given: dict[str, tree.Expression], call: tree.Call
) -> None:
    names = {field.name for field in stream.fields}
    if stream.layout.tail:
        names.add(stream.layout.tail)
    for name, expression in given.items():
        if name not in names and name not in stream.hidden:
            raise CompileError(
                f"{stream.layout.name} has no field '{name}'",
                expression.span,
                hint=f"it has {', '.join(sorted(names | set(stream.hidden)))}",
            )
    for field in stream.fields:
        if field.name not in given and field.fill is None:
            raise CompileError(f"emit() needs {field.name}", call.span)


def _fill_fixed(
    walker: Walker, row: Row, given: dict[str, tree.Expression], call: tree.Call
) -> None:
    """Type id, fields and padding."""
    layout = row.stream.layout
    ctypes = {field.name: field for field in row.stream.fields}
    end = 4
    walker.builder.store(row.base, row.start, Imm(layout.type_id), 4)
    for place in layout.fields:
        walker.access.zero(row.base, row.start + end, place.offset - end)
        end = place.offset + place.size
        expression = given.get(place.name)
        field = ctypes[place.name]
        if expression is None:
            value = filled(walker, field.fill, call)
            assert value is not None
            span = call.span
        else:
            value, span = walker.value(expression), expression.span
        if isinstance(value, Static) and isinstance(value.value, StackTrace):
            at = row.start + place.offset
            copy_stack(walker, value.value, row.base, at, call)
            continue
        _store_field(walker, row, place, field, value, span)
    walker.access.zero(row.base, row.start + end, layout.size - end)


def _store_field(
    walker: Walker,
    row: Row,
    place: FieldLayout,
    field: EmittedField,
    value: Value,
    span: Span,
) -> None:
    type_ = walker.type_named(field.ctype, span)
    at = row.start + place.offset
    if isinstance(type_, Array) and isinstance(value, Place):
        if value.type.size < type_.size:
            walker.access.zero(row.base, at, type_.size)
        count = min(value.type.size, type_.size)
        part = value._replace(type=Array(U8, count))
        walker.access.copy(row.base, at, part)
    else:
        walker.access.store(row.base, at, type_, value, span)


def _is_text_pointer(value: Value) -> bool:
    return isinstance(value, Register) and isinstance(value.type, Pointer)


def _append(walker: Walker, row: Row, value: Value, span: Span) -> None:
    """Add text at the end of the record."""
    if isinstance(value, Static) and isinstance(value.value, Region):
        _append_region(walker, row, value.value)
        return
    most = row.stream.layout.tail_max + 2
    if isinstance(value, Place) and isinstance(value.type, Array):
        # Text that fills its array has no NUL.
        most = min(most, value.type.size + 1)
        address = walker.access.address(value.base, value.offset)
        _append_string(walker, row, address, value.space, most)
        return
    if not _is_text_pointer(value):
        raise CompileError(f"{type_name(value)} is no text", span)
    assert isinstance(value, Register) and isinstance(value.type, Pointer)
    _append_string(walker, row, value.register, value.type.space, most)


def _append_string(
    walker: Walker, row: Row, pointer: ir.Argument, space: str, limit: int
) -> None:
    """Copy text of at most `limit` bytes, its NUL included."""
    b = walker.builder
    layout = row.stream.layout
    if space != "user" and walker.target.hides_memory:
        # A single text that is not there the reader counts.
        walker.notes[_HIDDEN] = None
        if layout.tail_kind == "strings":
            b.add_to_ledger("failed read")
        return
    helper = "probe_read_user_str" if space == "user" else "probe_read_kernel_str"
    if layout.tail_kind == "string":
        to = walker.access.address(row.base, row.start + layout.size)
        length = b.call(helper, to, Imm(limit), pointer)
        _add_length(walker, row, length, limit, space)
        return
    limit = min(limit, STRING_LIMIT)
    room, done = b.new_block(), b.new_block()
    last = layout.size + layout.tail_max + 1
    used = _used(walker, row)
    b.finish(ir.Branch("<=", used, Imm(last), True, room, done))
    b.start(room)
    assert isinstance(row.base, int), "lists of strings are built in the scratch map"
    to_register = b.move(row.base)
    b.alu("+", to_register, Imm(row.start))
    b.alu("+", to_register, used)
    length = b.call(helper, to_register, Imm(limit), pointer)
    _add_length(walker, row, length, limit, space)
    b.jump(done)
    b.start(done)


def _add_length(walker: Walker, row: Row, length: int, limit: int, space: str) -> None:
    """`used += length` if the read succeeded.

    That a single text is missing the reader sees; that one of several is, the ledger
    has to tell.  One unsigned comparison excludes errors, which are negative, and tells
    the verifier the largest length.
    """
    b = walker.builder
    good, failed, done = b.new_block(), b.new_block(cold=True), b.new_block()
    b.finish(ir.Branch("<=", length, Imm(limit), True, good, failed))
    b.start(failed)
    if row.stream.layout.tail_kind == "strings":
        b.add_to_ledger("failed read")
    b.jump(done)
    b.start(good)
    if space == "user":
        # strncpy_from_user_nofault() counts the NUL of an empty string in 6.18, but not
        # yet in 6.12: a length of 0 is a string, too.
        empty, counted = b.new_block(cold=True), b.new_block()
        b.finish(ir.Branch("==", length, Imm(0), True, empty, counted))
        b.start(empty)
        b.move(Imm(1), length)
        b.jump(counted)
        b.start(counted)
    _use(walker, row, length)
    b.jump(done)
    b.start(done)


def _append_region(walker: Walker, row: Row, region: Region) -> None:
    """Copy as many bytes as there is room for after the fixed part."""
    b = walker.builder
    layout = row.stream.layout
    limit = layout.tail_max + 1
    length = b.move(region.length.register)
    _cut(walker, length, limit)
    to: ir.Argument
    some, room, done = b.new_block(), b.new_block(), b.new_block()
    # Nothing can be read from anywhere, but helpers refuse some addresses.
    b.finish(ir.Branch("==", length, Imm(0), True, done, some))
    b.start(some)
    used = _used(walker, row)
    b.finish(ir.Branch("<=", used, Imm(layout.size + limit), True, room, done))
    b.start(room)
    if isinstance(row.base, int):
        to_register = b.move(row.base)
        b.alu("+", to_register, Imm(row.start))
        b.alu("+", to_register, used)
        to = to_register
    else:
        to = walker.access.address(row.base, row.start + layout.size)
    user = region.space == "user"
    helper = "probe_read_user" if user else "probe_read_kernel"
    result = b.call(helper, to, length, region.address.register)
    good, failed = b.new_block(), b.new_block(cold=True)
    b.finish(ir.Branch("==", result, Imm(0), True, good, failed))
    b.start(failed)
    b.add_to_ledger("failed read")
    b.jump(done)
    b.start(good)
    _use(walker, row, length)
    b.jump(done)
    b.start(done)


def _cut(walker: Walker, register: int, limit: int) -> None:
    """`register = min(register, limit)`, so that the verifier sees it."""
    b = walker.builder
    cut, fits = b.new_block(), b.new_block()
    b.finish(ir.Branch(">", register, Imm(limit), True, cut, fits))
    b.start(cut)
    b.move(Imm(limit), register)
    b.jump(fits)
    b.start(fits)
