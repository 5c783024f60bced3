"""Rows of text: tables and CSV.

A row is one f-string over the raw values of a record.  The texts of fields with few
values come out of memos, padded and escaped, so it is mostly dict lookups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from skep.escape import escape
from skep.fields.base import Cell, Context
from skep.fields.text import decoded
from skep.named_tuple import NamedTuple
from skep.output.code import Code, literal
from skep.output.memo import Memo
from skep.output.record_types import RecordType


class Style(NamedTuple):
    """How the texts of a row are put together.

    `clean` makes a text safe and `unclean`, an expression over it, says when that is
    needed.  Only `padded` rows can have lines below them.
    """

    padded: bool
    separator: str
    clean: Callable[[str], str]
    unclean: str


def quoted(text: str) -> str:
    """A field of CSV: escaped, and quoted where RFC 4180 demands it."""
    text = escape(text)
    if '"' in text or "," in text:
        return '"' + text.replace('"', '""') + '"'
    return text


TABLE = Style(True, " ", escape, "not {0}.isprintable()")
"""Columns padded to their widths, one space between."""

CSV = Style(False, ",", quoted, "not {0}.isprintable() or '\"' in {0} or ',' in {0}")
"""Columns as they are, commas between; lines end in a line feed alone."""

LIST = Style(False, ", ", escape, TABLE.unclean)
"""Columns as they are, for a title."""


def header(cells: Sequence[Cell], style: Style) -> str:
    """The line of titles, with its newline; titles at the end may be blank."""
    titles = [
        format(style.clean(part.cell.title), part.padding) + part.end
        for part in _parts(_inline(cells, style), style)
    ]
    return "".join(titles).rstrip(" \n") + "\n"


def table_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a table's row."""
    return _row(code, record.cells(context), TABLE)


def csv_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a row of CSV."""
    return _row(code, record.cells(context), CSV)


def list_row(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a title made of all columns."""
    return _row(code, record.cells(context), LIST)


def cell_texts(code: Code, record: RecordType, context: Context) -> str:
    """The expression of a tuple of the texts of all columns, neither padded nor quoted,
    each with a newline."""
    cells = record.cells(context)
    return f"({''.join(f'{_row(code, [cell], LIST)}, ' for cell in cells)})"


def text_row(cells: Sequence[Cell], texts: Sequence[str], style: Style) -> str:
    """The row of these texts, with its newline."""
    parts = zip(_parts(cells, style), texts)
    return "".join(
        format(style.clean(text), part.padding) + part.end for part, text in parts
    )


class _Part(NamedTuple):
    """A cell, the format spec that pads it, and what comes before the next one."""

    cell: Cell
    padding: str
    end: str


def _parts(cells: Sequence[Cell], style: Style) -> list[_Part]:
    parts = []
    for number, cell in enumerate(cells, 1):
        is_last = number == len(cells)
        # Nothing follows the last column, so trailing blanks are left out.
        is_padded = style.padded and not (is_last and cell.align == "<")
        padding = f"{cell.align}{cell.width}" if is_padded and cell.width else ""
        parts.append(_Part(cell, padding, "\n" if is_last else style.separator))
    return parts


def _inline(cells: Sequence[Cell], style: Style) -> list[Cell]:
    """The cells of the row itself; without lines below they are in it, too."""
    if style.padded:
        return [cell for cell in cells if not cell.below]
    return [_joined(cell) if cell.below else cell for cell in cells]


def _joined(cell: Cell) -> Cell:
    make = cell.text
    assert make is not None
    return cell._replace(text=lambda value: make(value).replace("\n", ";"))


def _row(code: Code, cells: Sequence[Cell], style: Style) -> str:
    fields = []
    for group in _grouped(_parts(_inline(cells, style), style)):
        part = group[0]
        code.names.update(part.cell.names)
        if _is_remembered(part.cell):
            memo = code.bind("text", Memo(_group_text(group, style)))
            fields.append(f"{{{memo}[{part.cell.source}]}}")
        else:
            fields.append(_changing(code, part, style) + literal(part.end))
    below = [cell for cell in cells if cell.below and style.padded]
    fields += [_below(code, cell, style) for cell in below]
    return f"f'{''.join(fields)}{literal(chr(10)) if below else ''}'"


def _below(code: Code, cell: Cell, style: Style) -> str:
    """The replacement field of the lines under a row."""
    lines = _lines(cell, style)
    if cell.remember:
        return f"{{{code.bind('lines', Memo(lines))}[{cell.source}]}}"
    return f"{{{code.bind('lines', lines)}({cell.source})}}"


def _lines(cell: Cell, style: Style) -> Callable[[Any], str]:
    """A function that makes the lines under a row, each with its newline."""
    assert cell.text is not None
    make, indent = cell.text, " " * cell.width

    def lines(value: Any) -> str:
        text = make(value)
        return "".join(
            f"{indent}{style.clean(line)}\n" for line in text.split("\n") if text
        )

    return lines


def _is_remembered(cell: Cell) -> bool:
    return cell.text is not None and cell.remember


def _grouped(parts: Sequence[_Part]) -> list[list[_Part]]:
    """Neighbours that depend on the same value, such as FD and ERR, share a memo."""
    groups: list[list[_Part]] = []
    for part in parts:
        last = groups[-1][0].cell if groups else None
        is_shared = last and last.source == part.cell.source
        if last and is_shared and _is_remembered(last) and _is_remembered(part.cell):
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def _group_text(group: Sequence[_Part], style: Style) -> Callable[[Any], str]:
    """A function that makes the text of neighbours from their common value."""

    def text(value: Any) -> str:
        pieces = []
        for cell, padding, end in group:
            assert cell.text is not None
            pieces.append(format(style.clean(cell.text(value)), padding) + end)
        return "".join(pieces)

    return text


def _changing(code: Code, part: _Part, style: Style) -> str:
    """The replacement field of a cell that is worked out for every row."""
    cell = part.cell
    if cell.text is None:
        return f"{{{cell.source}:{part.padding}{cell.spec}}}"
    shown = code.variable("shown")
    clean = code.bind("clean", style.clean)
    # `decoded` in line: a call costs 60 ns, and every row has such a text.
    text = (
        f"{cell.source}.decode('utf-8', 'surrogateescape')"
        if cell.text is decoded
        else f"{code.bind('make', cell.text)}({cell.source})"
    )
    code.add(
        f"{shown} = {text}",
        f"if {style.unclean.format(shown)}:",
        f"    {shown} = {clean}({shown})",
    )
    return f"{{{shown}:{part.padding}}}" if part.padding else f"{{{shown}}}"
