"""What a VirtualService holds of a Rollout, as its mark says it: enough to take it out again when the Rollout is gone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.marks import mark_of
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute
from reconciler.rollouts.traffic.router import Owner
from reconciler.routers.istio_generated import Made
from reconciler.routers.istio_selection import LISTS, Selection
from reconciler.routers.istio_sides import Sides
from reconciler.routers.istio_weights import at_home

SIDES = {"canary": "canary", "stable": "stable", "canarySubset": "canary_subset", "stableSubset": "stable_subset", "host": "host"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`listed` are the routes that the Rollout listed, `managed` its managed routes, `made` those that we made and of what."""

    sides: Sides
    listed: Manifest = field(default_factory=dict)
    managed: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    made: Mapping[str, Made] = field(default_factory=dict)

    @property
    def mark(self) -> Manifest:
        whole = {
            **{key: getattr(self.sides, name) for key, name in SIDES.items()},
            "otherSubsets": sorted(self.sides.other_subsets),
            "listed": self.listed,
            "managed": list(self.managed),
            "experiments": list(self.experiments),
            "made": {name: _written(made) for name, made in self.made.items()},
        }
        return {key: value for key, value in whole.items() if value}


def record_of(manifest: Manifest, owner: Owner) -> Record | None:
    """The record of a live object; None when it holds nothing of this Rollout, or when we cannot have written it."""
    mark = mark_of(manifest, owner)
    if mark is None:
        return None
    try:
        return _record(mark, owner)
    except (TypeError, ValueError, AttributeError, KeyError):
        return None


def _record(mark: Manifest, owner: Owner) -> Record:
    names = {name: str(mark.get(key, "")) for key, name in SIDES.items()}
    return Record(
        sides=Sides(**names, other_subsets=frozenset(mark.get("otherSubsets") or ()), namespace=owner.namespace),
        listed=listed_in(mark.get("listed") or {}),
        managed=tuple(map(str, mark.get("managed") or ())),
        experiments=tuple(map(str, mark.get("experiments") or ())),
        made={str(name): _read(str(name), made) for name, made in (mark.get("made") or {}).items()},
    )


def listed_in(config: Manifest) -> Manifest:
    """The lists of routes in a `virtualService` entry."""
    return {key: config[key] for key in LISTS.values() if config.get(key)}


def given_back(spec: Manifest, record: Record) -> Manifest:
    """The spec of a VirtualService without what the record says: weights at home, no experiment, no route of ours."""
    names = {*record.made, *record.managed}
    rest = {**spec, "http": [r for r in spec["http"] if r.get("name") not in names]} if spec.get("http") else dict(spec)
    for protocol, selected in Selection(record.listed).likely(rest, record.sides).items():
        routes = rest.get(protocol) or []
        rest[protocol] = [at_home(r, record.sides, record.experiments) if i in selected else r for i, r in enumerate(routes)]
    return {key: value for key, value in rest.items() if value or key in spec}


def _written(made: Made) -> Manifest:
    if isinstance(made, MirrorRoute):
        return {"mirror": [dict(match) for match in made.matches], "percentage": made.percentage}
    kinds = ("exact", "prefix", "regex")
    return {"header": [{"name": m.name, **{k: getattr(m, k) for k in kinds if getattr(m, k) is not None}} for m in made.matches]}


def _read(name: str, made: Mapping[str, Any]) -> Made:
    if "mirror" in made:
        return MirrorRoute(name, tuple(dict(match) for match in made["mirror"]), int(made.get("percentage", 100)))
    return HeaderRoute(name, tuple(HeaderMatch(**match) for match in made["header"]))
