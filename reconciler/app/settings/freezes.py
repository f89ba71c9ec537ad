"""The words of `freezes:`, the calendar in which nothing is released, strictly (docs/sources.md)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.sources.settings import SourceSettings
from reconciler.sources.windows import FreezePeriod, in_zone

LONGEST_REASON = 200
EXAMPLE = "write a day like 2026-12-20, or a moment like 2026-12-20T18:00"


@dataclass(frozen=True, slots=True)
class PlannedFreeze:
    """One entry of the calendar, and the environments that it is for; empty: all of them."""

    freeze: FreezePeriod
    environments: tuple[str, ...] = ()


def planned_freeze(fields: StrictFields) -> PlannedFreeze:
    """One entry. Raises FieldError naming the first wrong field."""
    zone = fields.text("timeZone", "UTC")
    since, until = _moment(fields, "from", zone), _moment(fields, "to", zone, whole_day=True)
    reason, environments = fields.text("reason"), fields.texts("environments")
    fields.done()
    if until <= since:
        raise FieldError(fields.path("to"), "is not after `from`: nothing would ever be frozen")
    if not reason.strip() or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise FieldError(fields.path("reason"), f"is shown to people: write one line of at most {LONGEST_REASON} characters")
    return PlannedFreeze(FreezePeriod(since=since, until=until, reason=reason.strip()), environments)


def frozen_sources(sources: Sequence[SourceSettings], planned: Sequence[PlannedFreeze]) -> tuple[SourceSettings, ...]:
    """The sources with the freezes of their environment before their own windows. Raises FieldError for an environment of no source."""
    known = sorted({source.environment for source in sources})
    for index, entry in enumerate(planned):
        unknown = [name for name in entry.environments if name not in known]
        if unknown:
            problem = f"no source has the environment {unknown[0]!r}; the sources have {', '.join(known) or 'none'}"
            raise FieldError(f"freezes[{index}].environments", problem)
    return tuple(replace(source, windows=(*_freezes_of(source, planned), *source.windows)) for source in sources)


def _freezes_of(source: SourceSettings, planned: Sequence[PlannedFreeze]) -> list[FreezePeriod]:
    return [entry.freeze for entry in planned if not entry.environments or source.environment in entry.environments]


def _moment(fields: StrictFields, name: str, zone: str, *, whole_day: bool = False) -> datetime:
    """A day or a moment; YAML may have read either already. Of a day as an end the whole day counts."""
    found = fields.raw(name)
    try:
        if isinstance(found, str):
            found = date.fromisoformat(found) if len(found) == len("2026-12-20") else datetime.fromisoformat(found)
        if isinstance(found, date) and not isinstance(found, datetime):
            found = datetime.combine(found + timedelta(days=1) if whole_day else found, time())
        if not isinstance(found, datetime):
            raise FieldError(fields.path(name), f"is required: {EXAMPLE}" if found is None else f"expected a day or a moment: {EXAMPLE}")
    except (ValueError, OverflowError) as error:
        raise FieldError(fields.path(name), f"{fields.raw(name)!r} is no day and no moment: {EXAMPLE}") from error
    try:
        return in_zone(found, zone)
    except (ValueError, OverflowError) as error:
        field = "timeZone" if "time zone" in str(error) else name
        raise FieldError(fields.path(field), str(error)) from error
