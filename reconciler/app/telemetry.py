"""Logs and numbers: structured lines on stderr for us, Prometheus metrics for operators. Neither ever holds a secret."""

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

HIDDEN = {"authorization", "password", "token", "secret"}


def configure_logs(log_format: str) -> None:
    """One line per event on stderr, as text for people or as JSON for machines."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_secrets,
            structlog.processors.format_exc_info if log_format == "json" else _untouched,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def hide_secrets(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Values under a name that smells of a secret are never printed."""
    for name in event:
        if any(word in name.lower() for word in HIDDEN):
            event[name] = "*****"
    return event


def _untouched(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event


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
