"""How fast the sandbox's slow things go; every field is in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Caps and first waits. Real clusters take tens of seconds for most of these."""

    drain: float = 0.5
    """The longest a deleted pod keeps serving; its terminationGracePeriodSeconds may be shorter."""
    probe_period: float = 0.2
    """The longest between two readiness probes, and before the first one."""
    restart_backoff: float = 0.2
    """The wait before a crashed container's second restart; it doubles up to `longest_backoff`."""
    longest_backoff: float = 5.0
    job_backoff: float = 0.2
    """The wait before a Job's next pod; it doubles with each failure."""
