"""Writes the tables of docs/compatibility.md from reconciler/app/compat/rows.toml. Run it after a change of a row."""

import re
from pathlib import Path

from reconciler.app.compat.rows import KnownDifference, rows

FILE = Path(__file__).resolve().parent.parent / "docs" / "compatibility.md"
REFUSED = ("<!-- rows: unsupported -->", "| what | what happens |\n|---|---|")
CHOSEN = ("<!-- rows: choices -->", "| is | contract | reference | here |\n|---|---|---|---|")
END = "<!-- end of rows -->"


def rendered(page: str) -> str:
    """The page with its tables as the rows say."""
    page = _filled(page, REFUSED, [_refused(row) for row in rows() if not row.contract])
    return _filled(page, CHOSEN, [_chosen(row) for row in rows() if row.contract])


def _filled(page: str, table: tuple[str, str], lines: list[str]) -> str:
    mark, head = table
    text = "\n".join([mark, "", head, *lines, "", END])
    return re.sub(f"{re.escape(mark)}.*?{re.escape(END)}", lambda _: text, page, count=1, flags=re.DOTALL)


def _refused(row: KnownDifference) -> str:
    return f"| {_anchor(row)}{row.reference} | {row.here} |"


def _chosen(row: KnownDifference) -> str:
    return f"| {row.likeness} | {_anchor(row)}{row.contract} | {row.reference} | {row.here} |"


def _anchor(row: KnownDifference) -> str:
    return f'<a id="{row.id}"></a>'


if __name__ == "__main__":
    FILE.write_text(rendered(FILE.read_text()))
