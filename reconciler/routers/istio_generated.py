"""Header and mirror routes: each stands for one route of the user that carries our weights (contract 9.3).

Made for every such route and put right before it: matching what it matches and more, rewriting, retrying and timing out as it does. So
no request leaves the way it would have taken but for the version that answers. The reference's form (one route on top, conditions of
the step alone) is there for those who ask for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.kernel.errors import Terminal
from reconciler.kernel.identity import Manifest
from reconciler.rollouts.traffic.model import HeaderMatch, HeaderRoute, MirrorRoute
from reconciler.routers.istio_matches import joined
from reconciler.routers.istio_sides import Sides

Made = HeaderRoute | MirrorRoute
MIRRORS = ("mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "mirror_percent")
WORDS = {"method": "method", "path": "uri", "headers": "headers"}


@dataclass(frozen=True, slots=True)
class Generator:
    """How routes are made in one VirtualService: for which sides, in which namespace, and whether in the reference's form."""

    sides: Sides
    namespace: str
    plain: bool = False

    def placed(self, routes: Sequence[Manifest], selected: Sequence[int], made: Mapping[str, Made]) -> list[Manifest]:
        """The routes with those of `made`, by name and in that order. Terminal when one of them could never match."""
        if not made:
            return list(routes)
        if not selected:
            raise Terminal("header and mirror routes need an HTTP route of the rollout in the VirtualService")
        if self.plain:
            return [*(self._plain(name, wanted, routes[selected[0]]) for name, wanted in made.items()), *routes]
        before = {index: list(self._standing_for(routes[index], made)) for index in selected}
        self._check(made, {route["name"] for found in before.values() for route in found})
        return [placed for index, route in enumerate(routes) for placed in (*before.get(index, ()), route)]

    def _check(self, made: Mapping[str, Made], present: set[str]) -> None:
        never = next((name for name in made if name not in present), None)
        if never is not None:
            raise Terminal(f"route {never} would match nothing: its conditions and those of the weighted routes cannot both hold")

    def _standing_for(self, user: Manifest, made: Mapping[str, Made]) -> Iterator[Manifest]:
        for name, wanted in made.items():
            blocks = [joined(block, condition) for block in user.get("match") or [{}] for condition in conditions(wanted)]
            matches = [block for block in blocks if block is not None]
            if matches:
                made_of = {**user, "name": name, "match": matches, **self._towards(wanted, user)}
                yield {key: value for key, value in made_of.items() if value is not None}

    def _towards(self, wanted: Made, user: Manifest) -> Manifest:
        destination = self._destination(user)
        if isinstance(wanted, HeaderRoute):
            entry: Manifest = next((d for d in user.get("route") or [] if self.sides.side(d) == "canary"), {})
            return {"route": [{**entry, "destination": destination, "weight": 100}]}
        share = {"value": wanted.percentage}
        others = [{"destination": user["mirror"], **_percentage(user)}] if user.get("mirror") else list(user.get("mirrors") or [])
        if not others:
            return {"mirror": destination, "mirrorPercentage": share}
        return {**dict.fromkeys(MIRRORS), "mirrors": [*others, {"destination": destination, "percentage": share}]}

    def _destination(self, user: Manifest) -> Manifest:
        """The user's own way to the canary, completed where a short name would be looked up elsewhere."""
        routes = user.get("route") or []
        target = next((d["destination"] for d in routes if self.sides.side(d) == "canary"), {"host": self.sides.canary})
        port = target.get("port") or next(filter(None, (_port(d) for d in routes)), None)
        whole = {**target, "host": self.sides.reached_from(str(target.get("host", "")), self.namespace), "port": port}
        return {key: value for key, value in whole.items() if value}

    def _plain(self, name: str, wanted: Made, user: Manifest) -> Manifest:
        """As the reference makes it."""
        port = next(filter(None, (_port(d) for d in user.get("route") or [])), None)
        whole = {"host": self.sides.host or self.sides.canary, "port": port, "subset": self.sides.canary_subset}
        destination = {key: value for key, value in whole.items() if value}
        route: Manifest = {"name": name, "match": list(conditions(wanted))}
        if isinstance(wanted, HeaderRoute):
            return {**route, "route": [{"destination": destination, "weight": 100}]}
        return {**route, "route": user.get("route") or [], "mirror": destination, "mirrorPercentage": {"value": wanted.percentage}}


def conditions(wanted: Made) -> Iterator[Manifest]:
    """The step's own conditions as match blocks."""
    if isinstance(wanted, HeaderRoute):
        yield from ({"headers": {match.name: _text(match)}} for match in wanted.matches)
        return
    for match in wanted.matches:
        yield {WORDS[key]: value for key, value in match.items() if key in WORDS and value is not None}


def _text(match: HeaderMatch) -> Manifest:
    known = {"exact": match.exact, "regex": match.regex, "prefix": match.prefix}
    return {key: text for key, text in known.items() if text is not None}


def _percentage(user: Manifest) -> Manifest:
    share = user.get("mirrorPercentage") or ({"value": user["mirrorPercent"]} if "mirrorPercent" in user else None)
    return {"percentage": share} if share else {}


def _port(destination: Manifest) -> Manifest | None:
    port: Manifest | None = (destination.get("destination") or {}).get("port")
    return port
