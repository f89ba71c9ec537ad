"""Routers over large objects: what is in force is read, and a weight is written, in the 200th route or the 50th rule."""

from collections.abc import Callable
from copy import deepcopy

from benchmarks.measure import Row, median_seconds
from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.rollouts.traffic.model import Traffic
from tests.kit.routers import WHOSE, Case, gateway_api, istio

ROUTES, RULES = 200, 50
LIMIT = 10_000
"""Microseconds: a tenth of what a write to an API server takes is nothing that a release would feel."""


def rows(rounds: int = 200) -> list[Row]:
    virtual_service = (f"VirtualService of {ROUTES} routes", _grown(istio(), "http", ROUTES))
    http_route = (f"HTTPRoute of {RULES} rules", _grown(gateway_api(), "rules", RULES))
    return [_row(f"{what}, read and write", case, rounds) for what, case in (virtual_service, http_route)]


def _grown(case: Case, field: str, count: int) -> Case:
    """The same object with many foreign routes before the one that is weighted."""
    [(ref, manifest)] = case.objects.items()
    foreign, ours = manifest["spec"][field]
    others = [{**deepcopy(foreign), **({"name": f"mail-{number}"} if field == "http" else {})} for number in range(count - 1)]
    return _with(case, ref, {**manifest, "spec": {**manifest["spec"], field: [*others, ours]}})


def _with(case: Case, ref: ObjectRef, manifest: Manifest) -> Case:
    return Case(case.router, case.key, case.config, case.elsewhere, {ref: manifest})


def _row(what: str, case: Case, rounds: int) -> Row:
    seconds = median_seconds(_look_and_write(case), rounds)
    return Row(what, seconds * 1e6, LIMIT, "µs", f"median of {rounds}")


def _look_and_write(case: Case) -> Callable[[], object]:
    traffic = Traffic(weight=20, canary_hash="h2", stable_hash="h1", managed_routes=("testers",))

    def work() -> object:
        case.router.in_force(case.config, WHOSE, case.live)
        answer = case.router.route(case.config, WHOSE, traffic, case.live)
        assert answer.problem is None and len(answer.actions) == 1
        return answer

    return work
