"""Logs and numbers: structured lines on stderr for us, Prometheus metrics for operators. Neither ever holds a secret."""

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from reconciler.kernel.redaction import MASK, Redactor, smells
from reconciler.kernel.text import clean, log_line

MULTILINE = "exception"
"""The one field of a log line that may have several lines: a traceback, written by Python."""
LINE_LIMIT = 4000
REDACTOR = Redactor()


def configure_logs(log_format: str) -> None:
    """One line per event on stderr, as text for people or as JSON for machines."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            harmless,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def harmless(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What smells of a secret is never printed, at any depth, and no text of a stranger makes a line of its own or speaks to a terminal."""
    shown = {name: MASK if smells(name) else _written(name, REDACTOR.tree(value)) for name, value in event.items()}
    event.clear()
    event.update(shown)
    return event


def _written(name: str, value: Any) -> Any:
    if name == MULTILINE and isinstance(value, str):
        return "\n".join(clean(line) for line in value.split("\n"))
    if isinstance(value, str):
        return log_line(value, LINE_LIMIT)
    if isinstance(value, dict):
        return {log_line(str(key)): _written("", member) for key, member in value.items()}
    if isinstance(value, list):
        return [_written("", item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else log_line(REDACTOR.text(str(value)), LINE_LIMIT)


class Telemetry:
    """The daemon's own metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.polls = Counter("reconciler_polls_total", "Polls of a source by outcome", ["source", "outcome"], registry=self.registry)
        self.leader = Gauge("reconciler_leader", "1 while this process holds the lease", registry=self.registry)
        self.ready_keys = Gauge("reconciler_queue_ready", "Keys waiting for a worker", registry=self.registry)

    def text(self) -> bytes:
        """The exposition format (text/plain; version=0.0.4)."""
        return generate_latest(self.registry)
