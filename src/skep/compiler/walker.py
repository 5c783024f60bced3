"""The one walk that binds, types, folds and lowers.

Statements are here and in `loops`, expressions in `expressions`, conditions in
`conditions`, calls in `calls`.  They share the `Walker`, which holds the builder, the
facts of the moment and the function being walked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Callable

from skep.btf import Btf
from skep.compiler import ir, loops, tree
from skep.compiler.access import WRITABLE, Access
from skep.compiler.arithmetic import Arithmetic, Number, convert, literal_type
from skep.compiler.builder import Builder, signed64
from skep.compiler.conditions import branch
from skep.compiler.environment import Environment
from skep.compiler.expressions import EXPRESSIONS
from skep.compiler.ir import Imm
from skep.compiler.scope import Facts, Flow, Frame, Returned, Scratch
from skep.compiler.types import (
    Int,
    Layout,
    Pointer,
    Struct,
    Type,
    from_c,
    needs_btf,
)
from skep.compiler.values import Const, Place, Register, Static, Value, type_name
from skep.errors import CompileError, SkepError, Span
from skep.target import Target


class Walker:
    """Lowers one program.

    `module` is the kernel module whose types it sees, besides those of the kernel.
    `scratch` has the scratch records, by the registers with their addresses.
    `memory` says where a number leads that C makes a pointer: "kernel" or, in probes of
    user programs, "user".  `arguments` are the registers of those parameters that the
    verifier knows to be valid pointers of their type.  `notes` say what the program
    gives up on this kernel.
    """

    def __init__(
        self, target: Target, environment: Environment, module: str = ""
    ) -> None:
        self.target = target
        self.module = module
        self.environment = environment
        self.builder = Builder()
        self.arithmetic = Arithmetic(self.builder)
        self.access = Access(self.builder)
        self.flow = Flow()
        self.frame: Frame | None = None
        self.parameters: Mapping[str, Callable[[], Value]] = {}
        self.arguments: set[int] = set()
        self.notes: dict[str, None] = {}
        self.context = 0
        self.memory = "kernel"
        self.objects: dict[str, object] = {}
        self.scratch: dict[int, Scratch] = {}

    # Statements.

    def block(self, body: Sequence[tree.Statement]) -> None:
        """Walk statements up to the first that ends the block."""
        for statement in body:
            if self.builder.block is None:
                return
            self.builder.span = statement.span
            _STATEMENTS[type(statement)](self, statement)

    def assign(self, statement: tree.Assign) -> None:
        """`target = value`."""
        value = self.value(statement.value)
        target = statement.target
        if isinstance(target, tree.Name):
            self.assign_name(target, value)
        else:
            self._assign_memory(target, value)

    def augment(self, statement: tree.Augment) -> None:
        """`target operator= value`."""
        target = statement.target
        combined = tree.Binary(
            statement.operator, target, statement.value, statement.span
        )
        value = self.value(combined)
        if not isinstance(target, tree.Name):
            self._assign_memory(target, value, wraps=True)
            return
        variable = self.current_frame.variables.get(target.id)
        if variable is not None and isinstance(variable.type, Int):
            assert isinstance(value, (Const, Register))
            value = convert(self.builder, value, variable.type)
        self.assign_name(target, value)

    def assign_name(self, target: tree.Name, value: Value) -> None:
        """Bind or rebind a local variable; the first value fixes its type."""
        name, variables = target.id, self.current_frame.variables
        if isinstance(value, (Place, Static)):
            self._bind(target, value)
            return
        variable = variables.get(name)
        if variable is None:
            type_ = literal_type(value.value) if value.type is None else value.type
            variable = Register(self.builder.register(), type_)
            variables[name] = variable
        register = self._converted(variable.type, value, target)
        self.builder.move(register, variable.register)
        nonnull = self.flow.nonnull - {variable.register}
        if isinstance(value, Register) and self.is_nonnull(value):
            nonnull |= {variable.register}
        self.flow.nonnull = nonnull
        self.flow.assigned[name] = variable

    def _bind(self, target: tree.Name, value: Value) -> None:
        """Give a name to a structure or a Python object; it stays that one."""
        before = self.flow.assigned.get(target.id)
        if target.id in self.current_frame.variables or before not in (None, value):
            raise CompileError(
                f"'{target.id}' already is something else",
                target.span,
                hint="give the second value a name of its own",
            )
        if isinstance(value, Place) and isinstance(value.base, int):
            # The register may belong to a variable that is assigned again later.
            value = value._replace(base=self.builder.move(value.base))
        self.flow.assigned[target.id] = value

    def _converted(self, type_: Type, value: Value, target: tree.Name) -> ir.Operand:
        """A scalar as the variable keeps it."""
        if isinstance(type_, Pointer):
            if isinstance(value, Register) and _same_pointer(type_, value.type):
                return value.register
        elif isinstance(value, (Const, Register)) and isinstance(type_, Int):
            fits = isinstance(value.type, Int) and (
                value.type.size <= type_.size or type_.boolean
            )
            if isinstance(value, Const):
                fits = fits or type_.holds(value.value)
            if fits:
                return self.number_operand(convert(self.builder, value, type_))
        raise CompileError(
            f"'{target.id}' is {type_}; {type_name(value)} does not fit",
            target.span,
            hint="the first assignment fixes the type of a name",
        )

    def number_operand(self, number: Number) -> ir.Operand:
        """A number as the source of a 64-bit move, in canonical form."""
        if isinstance(number, Const):
            return Imm(
                number.value & 0xFFFFFFFF
                if number.type is not None and number.type.size < 8
                else signed64(number.value)
            )
        return number.register

    def _assign_memory(
        self, target: tree.Expression, value: Value, wraps: bool = False
    ) -> None:
        """Assign to a member of a record or of a map's value."""
        if not isinstance(target, tree.Attribute):
            raise CompileError("only names and fields can be assigned", target.span)
        owner = self.value(target.value)
        if isinstance(owner, Register) and target.name == "value":
            element = _single_value(owner.type)
            if element is not None:
                self.require_nonnull(owner, target.span)
                self.access.store(owner.register, 0, element, value, target.span)
                return
        place = self.place_of(owner, target.span)
        if place is None or place.space not in WRITABLE:
            raise CompileError(
                f"a program cannot write to {type_name(owner)}", target.span
            )
        if isinstance(place.type, (Layout, Struct)):
            member = place.type.member(target.name)
            if member is not None and not member.bits:
                offset = place.offset + member.bit_offset // 8
                self.access.store(place.base, offset, member.type, value, target.span)
                return
        raise CompileError(
            f"{place.type} has no field '{target.name}' to assign", target.span
        )

    def evaluate(self, statement: tree.Evaluate) -> None:
        """An expression for what it does."""
        self.value(statement.value)

    def if_(self, statement: tree.If) -> None:
        """Both sides, or only the one that a constant condition selects."""
        then, orelse = self.builder.new_block(), self.builder.new_block()
        after = self.builder.new_block()
        facts = self.branch(statement.test, then, orelse)
        before = self.flow
        ends: list[tuple[ir.Block, Flow]] = []
        for start, body, nonnull in (
            (then, statement.body, facts.when_true),
            (orelse, statement.orelse, facts.when_false),
        ):
            self.flow = before.copy()
            self.flow.nonnull |= nonnull
            if self.builder.start(start):
                self.block(body)
                if self.builder.block is not None:
                    ends.append((self.builder.block, self.flow))
                    self.builder.block = None
        self.flow = self._joined(ends, after) if ends else before
        self.builder.start(after)

    def _joined(self, ends: Sequence[tuple[ir.Block, Flow]], after: ir.Block) -> Flow:
        """Go on from one block or several; what holds then."""
        flow = ends[0][1]
        for _, other in ends[1:]:
            flow = flow.join(other)
        for self.builder.block, self.flow in ends:
            self.release(flow.held)
            self.builder.jump(after)
        return flow

    def return_(self, statement: tree.Return) -> None:
        """End the block; what follows the call joins the returns."""
        value = None
        if statement.value:
            value = self.narrowed(self.value(statement.value))
        assert self.builder.block is not None
        returned = Returned(self.builder.block, value, self.flow, statement)
        self.current_frame.returns.append(returned)
        self.builder.block = None

    # What expressions need.

    @property
    def current_frame(self) -> Frame:
        """The function being walked."""
        assert self.frame is not None
        return self.frame

    def value(self, expression: tree.Expression) -> Value:
        """Evaluate an expression."""
        return EXPRESSIONS[type(expression)](self, expression)

    def branch(self, test: tree.Expression, then: ir.Block, orelse: ir.Block) -> Facts:
        """Go to `then` or `orelse`; what each may rely on."""
        return branch(self, test, then, orelse)

    def place_of(self, value: Value, span: Span) -> Place | None:
        """The memory that a structure or a pointer to one stands for."""
        if isinstance(value, Place):
            return value
        if isinstance(value, Register) and isinstance(value.type, Pointer):
            target = value.type.target
            self.require_nonnull(value, span)
            if isinstance(target, (Struct, Layout)):
                return Place(value.register, 0, target, value.type.space or "kernel")
        return None

    def is_nonnull(self, value: Register) -> bool:
        """Whether a pointer cannot be null here."""
        if value.register in self.flow.nonnull:
            return True
        return isinstance(value.type, Pointer) and not value.type.nullable

    def narrowed(self, value: Value) -> Value:
        """The value, a pointer with what is known here of it being null."""
        if isinstance(value, Register) and isinstance(value.type, Pointer):
            nullable = not self.is_nonnull(value)
            return value._replace(type=value.type._replace(nullable=nullable))
        return value

    def require_nonnull(self, pointer: Register, span: Span) -> None:
        """Refuse to follow a pointer that may be null."""
        if not self.is_nonnull(pointer):
            raise CompileError(
                f"this {pointer.type} may be None here",
                span,
                hint="test it first: 'if x is None: return'",
            )

    def leave(self) -> None:
        """Leave the program, and give back the scratch records that it holds."""
        self.release()
        self.builder.exit()

    def release(self, keep: Set[int] = frozenset()) -> None:
        """Mark the scratch records in use here as free again, but those to keep."""
        for base in sorted(self.flow.held - keep):
            self.builder.store(base, 0, Imm(0), 4)

    def at_hand(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """A pure value, computed at most once on every path."""
        value = self.flow.at_hand.get(key)
        if value is None:
            value = self.flow.at_hand[key] = compute()
        return value

    def type_named(self, text: str, span: Span | None) -> Type:
        """A type by its C spelling; BTF is opened only when the type needs it."""
        try:
            return from_c(text, self._types() if needs_btf(text) else None)
        except SkepError as error:
            raise CompileError(error.diagnostic.message, span) from None

    def _types(self) -> Btf:
        of_module = self.target.module_btf(self.module) if self.module else None
        return of_module or self.target.btf

    def pointer_type(self, text: str, space: str) -> Pointer:
        """`text *` in a memory space."""
        return Pointer(self.type_named(text, None), space)


def _single_value(type_: Type) -> Type | None:
    """What `.value` stands for behind a pointer to a map's value that is no record."""
    if not isinstance(type_, Pointer) or type_.space not in WRITABLE:
        return None
    return type_.target if isinstance(type_.target, (Int, Pointer)) else None


def _same_pointer(a: Pointer, b: Type) -> bool:
    return isinstance(b, Pointer) and (a.target, a.space) == (b.target, b.space)


_STATEMENTS: dict[type[object], Callable[..., None]] = {
    tree.Assign: Walker.assign,
    tree.Augment: Walker.augment,
    tree.Evaluate: Walker.evaluate,
    tree.If: Walker.if_,
    tree.For: loops.for_,
    tree.While: loops.while_,
    tree.Break: loops.break_,
    tree.Continue: loops.continue_,
    tree.Return: Walker.return_,
}
