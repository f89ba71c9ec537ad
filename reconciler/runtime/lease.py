"""One leader among several daemons: a coordination.k8s.io Lease, renewed while we live (client-go's leader election)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from reconciler.kernel.errors import Transient
from reconciler.kernel.identity import Manifest
from reconciler.kernel.resources import LEASES
from reconciler.kube.client import Client
from reconciler.kube.errors import AlreadyExists, ApiError, Conflict
from reconciler.kube.fence import Gate

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Who holds what for how long. `duration` seconds without renewal and another may take it."""

    namespace: str
    name: str
    holder: str
    duration: float = 15.0
    renew_every: float = 5.0


class Leadership:
    """Holds one Lease while `run` runs. `valid` is judged by the monotonic clock: a stalled loop loses it in time (ADR 0022)."""

    def __init__(self, client: Client, terms: LeaseTerms, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._client = client
        self._terms = terms
        self._now = now
        self._monotonic = monotonic
        self._valid_until = float("-inf")
        self._rival: tuple[str, float] = ("", 0.0)
        self._ours: Manifest | None = None
        """The Lease as our last write left it: while nobody else writes, it is renewed without being read."""
        self.acquired = asyncio.Event()
        self.holder = ""

    @property
    def valid(self) -> bool:
        return self._monotonic() < self._valid_until

    def gate(self) -> Gate:
        """Withholds writes unless the lease is ours at this very moment."""
        return Gate(lambda: None if self.valid else f"the lease {self._terms.namespace}/{self._terms.name} is not ours")

    async def run(self) -> None:
        """Take the lease when it is free, renew it for ever; another's lease is only waited for."""
        while True:
            started = self._monotonic()
            try:
                async with asyncio.timeout(self._terms.renew_every):
                    if await self._take():
                        self._valid_until = started + self._terms.duration * 2 / 3
                        self.acquired.set()
            except (ApiError, Transient, TimeoutError) as error:
                log.warning("lease not renewed", lease=self._terms.name, reason=str(error) or "no answer in time")
            await asyncio.sleep(self._terms.renew_every)

    async def release(self) -> None:
        """Let the next one start at once."""
        self._valid_until = float("-inf")
        live = await self._client.find(LEASES, self._terms.namespace, self._terms.name)
        if live is not None and _spec(live).get("holderIdentity") == self._terms.holder:
            await self._client.replace(LEASES, {**live, "spec": {**_spec(live), "holderIdentity": "", "leaseDurationSeconds": 1}})

    async def _take(self) -> bool:
        return await self._renewed() or await self._taken()

    async def _renewed(self) -> bool:
        """One write over our own; False when there is none of ours, or the server says no: it is another's, or gone, and is looked at."""
        ours, self._ours = self._ours, None
        if ours is None:
            return False
        try:
            self._ours = await self._client.replace(LEASES, self._lease(ours["metadata"], _spec(ours)))
        except ApiError:
            return False
        return True

    async def _taken(self) -> bool:
        live = await self._client.find(LEASES, self._terms.namespace, self._terms.name)
        try:
            if live is None:
                return self._became(await self._client.create(LEASES, self._lease({}, None)))
            if not self._free(live):
                self._valid_until = float("-inf")  # a person or a rival took it: ours no longer counts, whatever time is left
                return False
            return self._became(await self._client.replace(LEASES, self._lease(live["metadata"], _spec(live))))
        except (AlreadyExists, Conflict):
            return False

    def _became(self, written: Manifest) -> bool:
        self._ours = written
        self.holder = self._terms.holder
        return True

    def _free(self, live: Manifest) -> bool:
        """Ours, given up, or not renewed for its whole duration as seen by our own clock."""
        spec = _spec(live)
        self.holder = str(spec.get("holderIdentity") or "")
        if self.holder in ("", self._terms.holder):
            return True
        seen, since = self._rival
        mark = f"{self.holder}@{spec.get('renewTime')}"
        if mark != seen:
            self._rival = (mark, self._monotonic())
            return False
        return self._monotonic() - since > float(spec.get("leaseDurationSeconds") or self._terms.duration)

    def _lease(self, metadata: Manifest, spec: Manifest | None) -> Manifest:
        now = micro_time(self._now())
        changed = spec is None or spec.get("holderIdentity") != self._terms.holder
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {**metadata, "name": self._terms.name, "namespace": self._terms.namespace},
            "spec": {
                "holderIdentity": self._terms.holder,
                "leaseDurationSeconds": max(1, round(self._terms.duration)),
                "acquireTime": now if changed or spec is None else spec.get("acquireTime", now),
                "renewTime": now,
                "leaseTransitions": 0 if spec is None else int(spec.get("leaseTransitions") or 0) + int(changed),
            },
        }


async def rival_holder(client: Client, namespace: str, name: str, now: datetime) -> str | None:
    """Who holds another controller's lease right now, by its renewTime; None when it is free."""
    live = await client.find(LEASES, namespace, name)
    if live is None:
        return None
    spec = _spec(live)
    renewed, seconds = spec.get("renewTime"), float(spec.get("leaseDurationSeconds") or 15)
    if not spec.get("holderIdentity") or not renewed:
        return None
    fresh = datetime.fromisoformat(str(renewed)) + timedelta(seconds=seconds) > now
    return str(spec["holderIdentity"]) if fresh else None


def _spec(lease: Manifest) -> Manifest:
    return lease.get("spec") or {}


def micro_time(moment: datetime) -> str:
    """Kubernetes MicroTime: exactly six digits and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
