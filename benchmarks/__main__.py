"""Runs every benchmark once and prints measured, budget and ratio."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping

import structlog

from benchmarks import analysis, console, fleet, git, objects, plan, rendered, route, source, start, verdict
from benchmarks.measure import Row

BENCHES: Mapping[str, Callable[[], list[Row]]] = {
    "plan": plan.rows,
    "start": start.rows,
    "route": route.rows,
    "objects": objects.rows,
    "git": git.rows,
    "source": source.rows,
    "rendered": rendered.rows,
    "fleet": fleet.rows,
    "fleet-real": fleet.real_rows,
    "verdict": verdict.rows,
    "analysis": analysis.rows,
    "console": console.rows,
}
HEAD = ("what", "measured", "budget", "ratio", "beside, in the same run")


def main(names: Iterable[str]) -> int:
    """Run the named benches, or all; a ratio above 1 is reported, not failed: machines differ."""
    chosen = list(names) or list(BENCHES)
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    begin = time.perf_counter()
    rows = [row for name in chosen for row in BENCHES[name]()]
    print("\n".join(table(rows)))
    print(f"{time.perf_counter() - begin:.0f} s in all")
    return 0


def table(rows: Iterable[Row]) -> list[str]:
    """Columns as wide as their widest cell."""
    cells = [HEAD, *[_cells(row) for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cells(row: Row) -> tuple[str, ...]:
    return (row.what, f"{row.measured:.1f} {row.unit}", f"{row.budget:g} {row.unit}", f"{row.ratio:.2f}", row.beside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
