"""How notebooks show batches and schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table in HTML."""

    def line(kind: str, cells: Iterable[Any]) -> str:
        return f"<tr>{''.join(f'<{kind}>{escape(str(cell))}</{kind}>' for cell in cells)}</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><caption>{escape(caption)}</caption>{line('th', heads)}{body}</table>"


def batch_table(batch: Mapping[str, Any], caption: str) -> str:
    """No views are left behind."""
    return table(
        caption, ("field", "shape", "type"), [(name, array.shape, array.dtype) for name, array in batch.items()]
    )
