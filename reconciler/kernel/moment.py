"""Points in time as Kubernetes writes them: RFC3339 in UTC, whole seconds."""

from datetime import UTC, datetime


def parse_moment(text: str) -> datetime:
    """The aware UTC time that an RFC3339 text names. Raises ValueError when it names none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def render_moment(moment: datetime) -> str:
    """RFC3339 with seconds and a Z (Kubernetes `metav1.Time`)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
