"""How commands print: text for people, JSON, YAML or names for machines; spans of time as people type and read them."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from reconciler.kernel.duration import parse_duration

FORMATS = ("text", "json", "yaml")
TABLE_FORMATS = (*FORMATS, "wide", "name")
AGES = ((timedelta(days=2), "d", 86400), (timedelta(hours=3), "h", 3600), (timedelta(minutes=10), "m", 60))
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
LONGEST_CELL = 60


def known(value: str) -> str:
    """The format, if there is one of that name; anything else is a usage error."""
    return _one_of(value, FORMATS)


def known_of_tables(value: str) -> str:
    """The same where a command lists objects."""
    return _one_of(value, TABLE_FORMATS)


def _one_of(value: str, formats: tuple[str, ...]) -> str:
    if value not in formats:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(formats)}")
    return value


def span(text: str | timedelta) -> timedelta:
    """A length of time: `30s`, `5m`, `1h30m`, or a number of seconds. Anything else is a usage error; a default is one already."""
    if isinstance(text, timedelta):
        return text
    try:
        seconds = float(text)
    except ValueError:
        seconds = None
    try:
        found = timedelta(seconds=seconds) if seconds is not None else parse_duration(text)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no length of time: write 30s, 5m or 1h30m") from error
    if found < timedelta():
        raise typer.BadParameter(f"{text!r} is before now: write 30s, 5m or 1h30m")
    return found


Output = Annotated[str, typer.Option("-o", "--output", help="text, json or yaml", callback=known)]
TableOutput = Annotated[str, typer.Option("-o", "--output", help="text, wide, json, yaml or name", callback=known_of_tables)]
Watch = Annotated[bool, typer.Option("-w", "--watch", help="stay, and show what changes")]


def show_plain(value: Any, output: str) -> None:
    """One JSON or YAML document on stdout, nothing else."""
    if output == "yaml":
        import yaml

        typer.echo(yaml.safe_dump(json.loads(json.dumps(value, default=str)), sort_keys=False, allow_unicode=True).rstrip())
    else:
        typer.echo(json.dumps(value, indent=2, default=str))


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, as kubectl's AGE says it: `45s`, `12m`, `5h`, `3d`."""
    if since is None:
        return "<unknown>"
    passed = max(now - since, timedelta())
    for least, unit, seconds in AGES:
        if passed >= least:
            return f"{int(passed.total_seconds()) // seconds}{unit}"
    minutes, seconds = divmod(int(passed.total_seconds()), 60)
    return f"{minutes}m{seconds}s" if minutes >= 2 and seconds else f"{minutes}m" if minutes >= 2 else f"{minutes * 60 + seconds}s"


def clean(text: str) -> str:
    """Text from outside in one line: a commit's subject must not move the cursor or colour a terminal."""
    return CONTROL.sub(" ", text).strip()


def cell(text: object, longest: int = LONGEST_CELL) -> str:
    """One cell of a table: clean, never empty, cut where it would push the others off the screen."""
    whole = clean(str(text))
    return (whole if len(whole) <= longest else whole[: longest - 1] + "…") or "-"


def table(rows: Sequence[tuple[str, ...]], widths: Sequence[int] = ()) -> Iterator[str]:
    """Rows in columns as wide as their widest cell, or as those of a table that was printed before."""
    for row in rows:
        padded = (text.ljust(width) for text, width in zip(row, widths or widths_of(rows), strict=True))
        yield "  ".join(padded).rstrip()


def widths_of(rows: Iterable[tuple[str, ...]]) -> tuple[int, ...]:
    """How wide each column has to be."""
    return tuple(max(map(len, column)) for column in zip(*rows, strict=True))
