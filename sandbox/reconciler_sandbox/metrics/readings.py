"""What somebody says workloads use, and what each of their pods then reads: pure.

An amount is so much of each pod, a percentage of what each pod requests, or a total that the ready pods share.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler_sandbox.apiserver.quantities import canonical, from_thousandths, thousandths

Manifest = dict[str, Any]
RESOURCES = ("cpu", "memory")
PERCENT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*%")
WHOLE = 100
KIBI = 1024


@dataclass(frozen=True, slots=True)
class Amount:
    """How much: thousandths of a unit, or (`percent`) thousandths of a per cent; `total` is shared among the ready pods."""

    value: int
    percent: bool = False
    total: bool = False

    def __str__(self) -> str:
        text = f"{self.value / 1000:g} %" if self.percent else from_thousandths(self.value)
        return f"{text} in total" if self.total else text


def amount(text: str | int | float, *, total: bool = False) -> Amount:
    """`250m`, `64Mi`, `40` or `180%`. Raises ValueError, also for less than nothing or a percentage in total."""
    share = PERCENT.fullmatch(str(text).strip())
    if share and total:
        raise ValueError("a total is an amount, not a percentage of what each pod requests")
    value = thousandths(share[1] if share else str(text).strip())
    if value < 0:
        raise ValueError(f"{text} is less than nothing")
    return Amount(value, bool(share), total)


@dataclass(frozen=True, slots=True)
class Subject:
    """What amounts are said of: a workload with a scale, or any other object."""

    api_version: str
    plural: str
    kind: str
    namespace: str
    name: str

    @property
    def qualified(self) -> str:
        """Plural and group, as paths of metrics name it."""
        group = self.api_version.rpartition("/")[0]
        return f"{self.plural}.{group}" if group else self.plural

    @property
    def path(self) -> str:
        """The path of the object in the API."""
        root = "/apis" if "/" in self.api_version else "/api"
        return f"{root}/{self.api_version}/namespaces/{self.namespace}/{self.plural}/{self.name}"


Said = Mapping[str, Amount]


@dataclass(slots=True)
class Readings:
    """What is said at the moment; a later word about the same metric of the same subject replaces the earlier one."""

    of: dict[Subject, Said] = field(default_factory=dict)
    external: dict[str, int] = field(default_factory=dict)

    def say(self, subject: Subject, amounts: Said) -> None:
        """From now on a subject reads this, too."""
        self.of[subject] = {**self.of.get(subject, {}), **amounts}

    def custom_names(self) -> Sequence[tuple[str, str]]:
        """Resource and name of every metric that is none of a pod's resources."""
        named = {(subject.qualified, name) for subject, said in self.of.items() for name in said if name not in RESOURCES}
        return sorted(named | {("pods", name) for _, name in named})


def usage_of(pod: Manifest, said: Said, ready: int) -> list[Manifest] | None:
    """The containers of a pod with what they use; nothing if nobody said a word about its resources."""
    resources = [name for name in RESOURCES if name in said]
    if not resources:
        return None
    containers = pod["spec"]["containers"]
    used = {name: _spread(pod, name, said[name], ready) for name in resources}
    return [
        {"name": one["name"], "usage": {name: text_of(name, amounts[index]) for name, amounts in used.items()}}
        for index, one in enumerate(containers)
    ]


def text_of(resource: str, value: int) -> str:
    """So many thousandths of a resource as the metrics API writes them: memory in powers of two."""
    if resource == "memory" and value % (1000 * KIBI) == 0:
        return canonical(f"{value // (1000 * KIBI)}Ki")
    return from_thousandths(value)


def _spread(pod: Manifest, resource: str, said: Amount, ready: int) -> list[int]:
    """What each container uses: its percentage of its own request, or all of an amount in the first."""
    containers = pod["spec"]["containers"]
    if said.percent:
        return [_requested(one, resource) * said.value // (WHOLE * 1000) for one in containers]
    return [value_of(pod, said, ready), *(0 for _ in containers[1:])]


def _requested(container: Manifest, resource: str) -> int:
    text = ((container.get("resources") or {}).get("requests") or {}).get(resource)
    return 0 if text is None else thousandths(text)


def value_of(pod: Manifest, said: Amount, ready: int) -> int:
    """What one pod reads of an amount, in thousandths; a percentage has nothing to be a percentage of and counts as it is."""
    if not said.total:
        return said.value
    return said.value // ready if is_ready(pod) and ready else 0


def is_running(pod: Manifest) -> bool:
    """Whether a pod uses anything at all."""
    return (pod.get("status") or {}).get("phase") == "Running"


def is_ready(pod: Manifest) -> bool:
    """Whether a pod takes its share of the work."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")
