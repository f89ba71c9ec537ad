"""The console's pages as data: what each asks for, its JSON document, and what its template shows."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

from reconciler.app.console.board import Board
from reconciler.app.console.detail import Detail, detail_of, detail_questions
from reconciler.app.console.reading import ListQuestion, ListReading, TroubleKind
from reconciler.app.console.state import ClusterState, KnownStates, PageNotice, narrower, notices_of, read_at, shared_questions
from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import Manifest, name_of, namespace_of
from reconciler.kernel.resources import ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, CLUSTER_RELEASE_POLICIES, RELEASE_POLICIES
from reconciler.releases.model import Release
from reconciler.sources.inventory import workload_key
from reconciler.views.audit import audit_of
from reconciler.views.console import WatchedWorkload, WorkloadFilter, line_of
from reconciler.views.freeze import OWN_NAMESPACE, freeze_line
from reconciler.views.policies import JudgingRules, policy_row, template_row
from reconciler.views.releases import release_document, running_release
from reconciler.views.rollouts import rollout_document, row_of
from reconciler.views.sources import SourceStanding, source_standing
from reconciler.views.view import plain
from reconciler.views.why.attention import Attention
from reconciler.views.why.judging import RulesInForce, judged_workload

ROWS = 40
ALL_ROWS = "all"
"""What machines get that name no sheet. No address may ask for it: ten thousand rows of HTML would stop everything else."""
POLICY_KINDS = (RELEASE_POLICIES.kind, CLUSTER_RELEASE_POLICIES.kind)
Query = Mapping[str, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolePage:
    """One page: the document that machines get, and what its template shows to people."""

    template: str
    title: str
    path: str
    document: Any
    shown: Mapping[str, Any] = field(default_factory=dict)
    notices: tuple[PageNotice, ...] = ()
    frozen: str = ""
    read_at: datetime | None = None
    old: bool = False
    """What it shows is the last known state."""
    asked: tuple[ListQuestion, ...] = ()
    """The lists that it is made of."""
    watched: bool = False
    """A change of these lists is heard of as it happens."""
    status: int = 200
    still: bool = False
    """It shows one moment, and does not keep up."""


@dataclass(frozen=True, slots=True)
class ConsoleScope:
    """What a console shows: a namespace, or all of them if that is empty; which cluster that is, and what commands need beside `-n`."""

    namespace: str = ""
    cluster: str = ""
    flags: str = ""
    own: str = OWN_NAMESPACE
    """The namespace of the daemon, which is asked for inventories and freezes where the whole may not be read."""


class Pages:
    """Makes pages of what the board has read."""

    def __init__(self, board: Board, clock: Clock, scope: ConsoleScope, sight: frozenset[str] | None = None) -> None:
        self.scope = scope
        self.sight = sight
        """The namespaces that are shown to who asks; None for all."""
        self.board = board
        self._clock = clock
        self._states = KnownStates()

    def seen_by(self, sight: frozenset[str] | None) -> "Pages":
        """The pages of the same board for a visitor who may look at these namespaces."""
        if sight == self.sight:
            return self
        narrow = Pages(self.board, self._clock, self.scope, sight)
        narrow._states = self._states
        return narrow

    async def at(self, address: str, *, whole: bool = False) -> ConsolePage:
        """The page of an address of ours, whatever stands in it; one that leads nowhere says so. `whole`: all rows."""
        path, _, asked = address.partition("?")
        query = {name: values[0] for name, values in parse_qs(asked, errors="replace", max_num_fields=50).items()}
        query = {**query, "page": ALL_ROWS} if whole else {name: text for name, text in query.items() if text != ALL_ROWS}
        parts = tuple(unquote(part) for part in path.strip("/").split("/")) if path.strip("/") else ()
        return await self._found(parts, query) or self.missing(unquote(path))

    async def _found(self, parts: tuple[str, ...], query: Query) -> ConsolePage | None:
        match parts:
            case ():
                return await self.now(query)
            case ("holds",):
                return await self.holds(query)
            case ("sources",):
                return await self.sources()
            case ("audit",):
                return await self.audit(query)
            case ("policies",):
                return await self.policies(query)
            case ("rollouts", namespace, name):
                return await self.rollout(namespace, name)
            case ("rollouts", namespace, name, "history"):
                return await self.history(namespace, name, query)
            case ("releases", namespace, name):
                return await self.release(namespace, name)
        return None

    async def now(self, query: Query) -> ConsolePage:
        """Every workload, what is in motion first."""
        known = await self.known()
        return await asyncio.to_thread(self._now, known, query)

    def _now(self, known: ClusterState, query: Query) -> ConsolePage:
        wanted = _wanted(query)
        every = known.workloads
        found = [workload for workload in every if wanted.takes(workload)]
        part, sheet = sheet_of(found, query)
        now = self._clock.now()
        lines = [line_of(workload, now, known.frozen, self.scope.flags) for workload in part]
        counted = Counter(workload.attention for workload in every)
        counts = {attention: counted[attention] for attention in Attention}
        shown = {
            "lines": lines,
            "sheet": sheet,
            "wanted": wanted,
            "counts": counts,
            "total": len(every),
            "environments": sorted({workload.environment for workload in every} - {""}),
            "namespaces": sorted({workload.namespace for workload in every}),
        }
        rows = [row for line in lines if (row := _row(line.workload, known)) is not None]
        return self._page(ConsolePage(template="now.html.j2", title="Now", path="/", document=rows, shown=shown), known)

    async def rollout(self, namespace: str, name: str) -> ConsolePage | None:
        """One workload as it stands, with its newest release; None when nothing of that name is known."""
        known = await self.known()
        rollout = known.rollouts.get((namespace, name))
        releases = known.of_workloads.get((namespace, name), [])
        if rollout is None and not releases:
            return None
        detail, readings = await self._detail(known, rollout, releases[-1] if releases else None, releases)
        document: Any = asdict(detail.explanation) if detail.explanation is not None else {}
        if detail.family is not None:
            document = rollout_document(detail.family, releases, known.frozen)
        path, shown = f"/rollouts/{namespace}/{name}", {"detail": detail}
        return self._page(ConsolePage(template="release.html.j2", title=name, path=path, document=document, shown=shown), known, readings)

    async def release(self, namespace: str, name: str) -> ConsolePage | None:
        """One release, with its rollout where it is the newest one."""
        known = await self.known()
        release = next((one for one in known.releases if (one.namespace, one.name) == (namespace, name)), None)
        if release is None:
            return None
        workload = release.spec.workload.name
        rollout = known.rollouts.get((namespace, workload))
        releases = known.of_workloads.get((namespace, workload), [release])
        detail, readings = await self._detail(known, rollout, release, releases)
        page = ConsolePage(
            template="release.html.j2",
            title=name,
            path=f"/releases/{namespace}/{name}",
            document=release_document(release),
            shown={"detail": detail},
        )
        return self._page(page, known, readings)

    async def _detail(
        self, known: ClusterState, rollout: Manifest | None, release: Release | None, releases: Sequence[Release]
    ) -> tuple[Detail, tuple[ListReading, ...]]:
        namespace = release.namespace if release is not None else namespace_of(rollout or {"metadata": {}})
        name = name_of(rollout) if rollout is not None else release.spec.workload.name if release is not None else ""
        readings = await self.board.read(*detail_questions(namespace, name))
        detail = detail_of(rollout, release, releases, readings).told(known.releases, known.rollouts)
        return detail.judged(known.frozen, known.problems_of(rollout), self._clock.now(), self.scope.flags), readings

    async def history(self, namespace: str, name: str, query: Query) -> ConsolePage | None:
        """Every release of a workload that is kept, newest first."""
        known = await self.known()
        rollout = known.rollouts.get((namespace, name))
        releases = known.of_workloads.get((namespace, name), [])
        if rollout is None and not releases:
            return None
        part, sheet = sheet_of(releases[::-1], query)
        running = running_release(rollout, releases) if rollout is not None else None
        proven = next((one for one in releases[::-1] if one.proven), None)
        shown = {"releases": part, "sheet": sheet, "running": running, "proven": proven, "namespace": namespace, "name": name}
        path, documents = f"/rollouts/{namespace}/{name}/history", [release_document(release) for release in part]
        return self._page(
            ConsolePage(template="history.html.j2", title=f"History of {name}", path=path, document=documents, shown=shown), known
        )

    async def holds(self, query: Query) -> ConsolePage:
        """What is held, newest first."""
        known = await self.known()
        held = [release for release in known.releases[::-1] if release.status.held]
        part, sheet = sheet_of(held, query)
        documents = [release_document(release) for release in part]
        shown = {"releases": part, "sheet": sheet}
        return self._page(ConsolePage(template="holds.html.j2", title="Holds", path="/holds", document=documents, shown=shown), known)

    async def sources(self) -> ConsolePage:
        """Every source as its inventory has it."""
        known = await self.known()
        running = _running(known)
        standings = [
            source_standing(name, namespace, inventory, running, self.scope.flags)
            for name, (namespace, inventory) in sorted(known.inventories.items())
        ]
        standings = standings if self.sight is None else []
        documents = [plain(one) for one in standings]
        shown = {"sources": standings, "lags": {one.name: _asked_since(known, one) for one in standings}}
        return self._page(ConsolePage(template="sources.html.j2", title="Sources", path="/sources", document=documents, shown=shown), known)

    async def audit(self, query: Query) -> ConsolePage:
        """Who did what, newest first."""
        known, search = await self.known(), query.get("q", "")[:200]
        part, sheet = sheet_of(audit_of(known.releases, search), query)
        documents, shown = [plain(one) for one in part], {"entries": part, "sheet": sheet, "search": search}
        return self._page(ConsolePage(template="audit.html.j2", title="Audit", path="/audit", document=documents, shown=shown), known)

    async def policies(self, query: Query) -> ConsolePage:
        """What judges, what it asks, and which of it is for which workload."""
        known, namespace = await self.known(), self.scope.namespace
        asked = (
            ListQuestion(RELEASE_POLICIES, namespace),
            ListQuestion(CLUSTER_RELEASE_POLICIES),
            ListQuestion(ANALYSIS_TEMPLATES, namespace),
            ListQuestion(CLUSTER_ANALYSIS_TEMPLATES),
        )
        readings = await self.board.read(*asked)
        rules = RulesInForce(
            policies={r.question.resource.kind: r.items for r in readings if r.question.resource.kind in POLICY_KINDS},
            templates=frozenset((r.question.resource.kind, namespace_of(one), name_of(one)) for r in readings for one in r.items),
        )
        search = query.get("q", "")[:200]
        rollouts = [
            one for place, one in sorted(known.rollouts.items()) if all(word in "/".join(place).lower() for word in search.lower().split())
        ]
        part, sheet = sheet_of(rollouts, query)
        seen = [(r.question.resource.kind, m) for r in readings for m in r.items if self.sight is None or namespace_of(m) in self.sight]
        judging = JudgingRules(
            policies=tuple(policy_row(kind, m) for kind, m in seen if kind in POLICY_KINDS),
            templates=tuple(template_row(kind, m) for kind, m in seen if kind not in POLICY_KINDS),
            workloads=tuple(judged_workload(one, rules) for one in part),
        )
        missing = [r for r in readings if r.question.resource.kind in POLICY_KINDS and r.trouble is not None]
        shown = {"judging": judging, "sheet": sheet, "search": search, "unsure": bool(missing), "sight": self.sight}
        title, document = "Policies and templates", plain(judging)
        return self._page(
            ConsolePage(template="policies.html.j2", title=title, path="/policies", document=document, shown=shown), known, readings
        )

    def missing(self, path: str) -> ConsolePage:
        """What is answered for an address that leads nowhere."""
        document = {"problem": f"there is nothing at {path}"}
        return ConsolePage(template="missing.html.j2", title="Not found", path=path, document=document, shown={"place": path}, status=404)

    async def asked_of(self, namespace: str, name: str) -> str:
        """The identity that Git asks for of a Rollout; empty if no source applies it."""
        return (await self.known()).asked_of(namespace, name)

    def forget(self) -> None:
        """Something was written: what is shown next is read anew."""
        self.board.forget()

    async def known(self) -> ClusterState:
        """What the common questions are answered now; narrower ones where the whole may not be read."""
        readings = await self.board.read(*shared_questions(self.scope.namespace))
        refused = [
            reading.question for reading in readings if reading.trouble is not None and reading.trouble.kind is TroubleKind.FORBIDDEN
        ]
        narrow = await self.board.read(*(question for asked in refused if (question := narrower(asked, self.scope.own)) is not None))
        instead = {reading.question.resource: reading for reading in narrow if reading.trouble is None}
        known = await self._states.of([instead.get(r.question.resource, r) for r in readings])
        return known if self.sight is None else known.within(self.sight)

    def _narrow(self) -> tuple[PageNotice, ...]:
        if self.sight is None:
            return ()
        named = ", ".join(sorted(self.sight)) or "no namespace"
        return (PageNotice(f"Your role is for {named}", "sources and what is for the whole cluster need a role for all of it"),)

    def _page(self, page: ConsolePage, known: ClusterState, more: Iterable[ListReading] = ()) -> ConsolePage:
        """The page with what is to be said of all pages: how old it is, what is missing, what is frozen."""
        readings, nothing = (*known.readings, *more), all(reading.at is None for reading in known.readings)
        return replace(
            page,
            template="away.html.j2" if nothing else page.template,
            notices=(*self._narrow(), *notices_of(readings, self.scope.flags), *map(PageNotice, known.unreadable)),
            frozen=freeze_line(known.frozen, self.scope.flags),
            read_at=read_at(readings),
            old=any(reading.old for reading in readings),
            asked=tuple(reading.question for reading in readings),
            watched=all(reading.settled for reading in readings),
            status=503 if nothing else page.status,
        )


@dataclass(frozen=True, slots=True)
class Sheet:
    """Which part of a list is shown."""

    number: int
    last: int
    first_row: int
    last_row: int
    rows: int


def sheet_of(rows: Sequence[Row], query: Query) -> tuple[Sequence[Row], Sheet]:
    """The rows of the page that a query names, or all of them; the first or the last page for numbers beyond."""
    text = query.get("page", "")
    if text == ALL_ROWS:
        return rows, Sheet(1, 1, 1 if rows else 0, len(rows), len(rows))
    last = max(1, -(-len(rows) // ROWS))
    number = min(max(int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 1, 1), last)
    begin = (number - 1) * ROWS
    part = rows[begin : begin + ROWS]
    return part, Sheet(number, last, begin + 1 if part else 0, begin + len(part), len(rows))


def _wanted(query: Query) -> WorkloadFilter:
    return WorkloadFilter(
        search=query.get("q", "")[:200],
        environment=query.get("environment", ""),
        namespace=query.get("namespace", ""),
        attention=query.get("state", ""),
    )


def _row(workload: WatchedWorkload, known: ClusterState) -> dict[str, Any] | None:
    """The line of `list rollouts`, with the release that runs; None where there is no Rollout, or none that can be read."""
    if workload.rollout is None:
        return None
    return plain(row_of(workload.rollout, known.of_workloads.get((workload.namespace, workload.name), ())))


def _asked_since(known: ClusterState, source: SourceStanding) -> datetime | None:
    """Since when the oldest of the versions is asked for that are not there yet; None where all are, or no Release tells."""
    _, inventory = known.inventories[source.name]
    asked = {inventory.workloads.get(key, "") for key in source.behind}
    created = [one.created for one in known.releases if one.spec.source == source.name and one.spec.identity in asked and one.created]
    return min(created, default=None)


def _running(known: ClusterState) -> dict[str, str]:
    """By workload the identity that its pods are of."""
    found, releases = {}, known.of_workloads
    for place, rollout in known.rollouts.items():
        release = running_release(rollout, releases.get(place, ()))
        if release is not None:
            found[workload_key(place[0], "Rollout", place[1])] = release.spec.identity
    return found
