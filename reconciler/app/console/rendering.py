"""Turns pages into HTML: everything escaped, credentials masked, times as `<time>`; addresses as the server or an export needs them."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reconciler.app.console.pages import ConsolePage, ConsoleScope
from reconciler.app.console.visitors import STRANGER, Role, Visitor
from reconciler.kernel.address import split_address
from reconciler.kernel.redaction import Redactor
from reconciler.kernel.text import clean, encodable
from reconciler.releases.announce.message import headline, next_steps
from reconciler.releases.model import Release, ReleasePhase, Verdict
from reconciler.releases.preview.words import preview_lines
from reconciler.releases.share.words import share_lines
from reconciler.views.console import WorkloadLine
from reconciler.views.measuring.spans import roughly, spoken
from reconciler.views.releases import author_name
from reconciler.views.why.attention import Attention
from reconciler.views.why.impact import impact_of

Link = Callable[[str], str]
"""An address of ours (`/releases/shop/web-1`) as a page has to write it."""
GLYPHS: Mapping[Attention, str] = {
    Attention.MOVING: "▸",
    Attention.HELD: "■",
    Attention.DEGRADED: "✕",
    Attention.WAITING: "‖",
    Attention.SETTLED: "✓",
}
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.PASSED: ("✓", "good"),
    Verdict.FAILED: ("✕", "bad"),
    Verdict.NOT_ENOUGH_EVIDENCE: ("?", "warn"),
    Verdict.COULD_NOT_MEASURE: ("!", "warn"),
    Verdict.ABORTED: ("■", "bad"),
    Verdict.SUPERSEDED: ("→", "quiet"),
    Verdict.HELD: ("■", "held"),
}
TONES: Mapping[str, tuple[str, str]] = {
    "Healthy": ("✓", "good"),
    "Successful": ("✓", "good"),
    "Running": ("▸", "moving"),
    "Progressing": ("▸", "moving"),
    "Pending": ("▸", "moving"),
    "Paused": ("‖", "warn"),
    "Inconclusive": ("?", "warn"),
    "Failed": ("✕", "bad"),
    "Degraded": ("✕", "bad"),
    "Error": ("!", "bad"),
    "CrashLoopBackOff": ("✕", "bad"),
    "ImagePullBackOff": ("✕", "bad"),
    "ErrImagePull": ("✕", "bad"),
}
COMMAND = re.compile(r"((?:reconciler (?=[a-z]+ )|kubectl )[^;,]+)")
REDACTOR = Redactor()
PLAIN = Markup("")


@dataclass(frozen=True, slots=True)
class PressOffer:
    """A verb that can be pressed, and where it asks."""

    label: str
    does: str
    path: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a page stands: how it writes addresses of ours, and that of its own document."""

    link: Link
    machine: str
    digest: str = ""
    """What is shown, so that a stream knows what has changed since; empty in a file, which nothing changes."""
    visitor: Visitor = STRANGER
    offers: tuple[PressOffer, ...] = ()
    """The verbs that the visitor may press here."""
    has_login: bool = False


class PageRenderer:
    """Templates with their words; one for the life of a console."""

    def __init__(self, scope: ConsoleScope, *, live: bool) -> None:
        self._environment = Environment(
            loader=PackageLoader("reconciler.app.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            span=spoken, image=image_name, commands=commands_in, author=author_name, web=web_address, groupby_attention=grouped
        )
        self._environment.filters |= {"share_lines": share_lines, "preview_lines": preview_lines, "markdown": markdown}
        words = {"headline": plain_headline, "next_steps": next_steps, "mark": verdict_mark, "tone_of": tone_of, "sign_of": sign_of}
        self._environment.globals.update(scope=scope, live=live, glyphs=GLYPHS, role=Role, address=address, **words)

    def html(self, page: ConsolePage, now: datetime, place: PagePlace) -> str:
        """The whole page."""
        moments = Moments(now)
        words: dict[str, Any] = {"page": page, "now": now, "link": place.link, "machine": place.machine, "digest": place.digest}
        words |= {"impact": partial(impact_of, now=now), "visitor": place.visitor, "offers": place.offers, "has_login": place.has_login}
        times = {"ago": moments.ago, "left": moments.left, "at": moments.at}
        return self._environment.get_template(page.template).render(**words, **times, **page.shown)


class Moments:
    """Times as people read them, with the exact one behind."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def ago(self, at: datetime | None) -> Markup | str:
        """`12 min ago`."""
        return _time(at, f"{roughly((self._now - at).total_seconds())} ago") if at is not None else "–"

    def left(self, at: datetime | None) -> Markup | str:
        """`in 4m`, or `now` for what should have been."""
        if at is None:
            return "–"
        seconds = round((at - self._now).total_seconds())
        return _time(at, f"in {spoken(seconds)}" if seconds > 0 else "now")

    def at(self, at: datetime | None) -> Markup | str:
        """`2026-11-25 03:00:12 UTC`."""
        return _time(at, _written(at), Markup(' data-form="full"')) if at is not None else "–"


def _time(at: datetime, words: str, form: Markup = PLAIN) -> Markup:
    """A moment; a script says it in the time of who reads it, and without one it is UTC."""
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", _written(at), form, words)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def shown(value: Any) -> Any:
    """What stands in a page for a value: text of strangers without control characters and credentials."""
    return said(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def said(text: str) -> str:
    """The text without what a page must not say."""
    return REDACTOR.text(encodable(clean(text)))


def markdown(text: str) -> Markup:
    """A comment as a forge shows it: HTML in it is text, and nothing is loaded."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(renderer.render(said(text)))  # it escapes what it is given


def masked(document: Any) -> Any:
    """A document with the same texts as a page: only credentials are cut out, nothing else."""
    if isinstance(document, str):
        return REDACTOR.text(encodable(document))
    if isinstance(document, dict):
        return {name: masked(member) for name, member in document.items()}
    return [masked(one) for one in document] if isinstance(document, list | tuple) else document


def document_text(page: ConsolePage) -> str:
    """The document as the command line prints it."""
    return json.dumps(masked(page.document), indent=2, default=str) + "\n"


def digest_of(page: ConsolePage) -> str:
    """Names what a page says: its document and what is said about it, but for the time."""
    said_beside = (page.notices, page.frozen, page.old, page.status)
    return hashlib.sha256(f"{document_text(page)}{said_beside}".encode()).hexdigest()[:16]


def address(*parts: str, **query: str) -> str:
    """An address of ours from its parts, whatever names hold."""
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    asked = {name: text for name, text in query.items() if text}
    return f"{path}?{urlencode(asked)}" if asked else path


def web_address(text: str) -> str:
    """The text if it is an address on the web without credentials, else nothing: nothing else becomes a link."""
    parts = split_address(text)
    return text if parts.scheme in ("http", "https") and parts.hostname and not parts.username and not parts.password else ""


def image_name(image: str) -> str:
    """`web:1.2` of `registry.example.com/team/web:1.2`; a digest shortened."""
    name, _, digest = image.rpartition("/")[2].partition("@")
    return f"{name}@{digest[:19]}…" if len(digest) > 19 else f"{name}@{digest}" if digest else name


def plain_headline(release: Release) -> str:
    """The headline that people are told elsewhere, without its sign: pages draw their own."""
    words = headline(release)
    first, _, rest = words.partition(" ")
    return rest if rest and not first.isascii() else words


def verdict_mark(release: Release) -> tuple[str, str, str]:
    """Sign, tone and word of how a release ended, or of where it is."""
    status = release.status
    if status.lost is not None:
        return "!", "warn", "proven no more"
    if status.accepted is not None:
        return "✓", "good", "accepted"
    if status.verdict is not None:
        sign, tone = VERDICTS[status.verdict]
        return sign, tone, "proven" if status.verdict is Verdict.PASSED and not status.unmeasured else str(status.verdict)
    return ("◦", "quiet", "closed") if status.phase is ReleasePhase.CLOSED else ("▸", "moving", str(status.phase).lower())


def tone_of(phase: str, kind: str = "") -> str:
    """The tone of a phase; none for those that are neither good nor bad."""
    return _tone(phase, kind)[1]


def sign_of(phase: str, kind: str = "") -> str:
    """The sign of a phase, so that its colour says nothing alone."""
    return _tone(phase, kind)[0]


def _tone(phase: str, kind: str) -> tuple[str, str]:
    """A pod that runs is where it should be; a run that runs is not done."""
    return ("✓", "good") if (kind, phase) == ("Pod", "Running") else TONES.get(phase, ("·", ""))


def commands_in(text: str) -> list[tuple[bool, str]]:
    """The text in parts: what is to be typed, and the words around it."""
    parts = COMMAND.split(text)
    return [(place % 2 == 1, part) for place, part in enumerate(parts) if part]


def grouped(lines: Iterable[WorkloadLine]) -> list[tuple[Attention, list[WorkloadLine]]]:
    """The lines of a sorted list by what they need."""
    return [(attention, list(members)) for attention, members in groupby(lines, key=lambda line: line.workload.attention)]
