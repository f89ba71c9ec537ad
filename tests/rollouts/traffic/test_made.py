"""Objects that a router made and that go again (contract 9)."""

from reconciler.kernel.identity import Manifest, ObjectRef
from reconciler.kernel.plan import Remove
from reconciler.kernel.resources import SERVICES
from reconciler.rollouts.traffic.made import removals


def test_only_what_goes_and_is_not_on_its_way_out_is_removed_by_its_uid() -> None:
    def found(name: str, **metadata: str) -> tuple[ObjectRef, Manifest]:
        return ObjectRef(SERVICES, "shop", name), {"metadata": {"name": name, "uid": f"uid-{name}", **metadata}}

    missing = {ObjectRef(SERVICES, "shop", "missing"): None}
    live = {**missing, **dict([found("goes"), found("stays"), found("leaving", deletionTimestamp="2030-01-01T12:00:00Z")])}
    assert removals(live, lambda manifest: manifest["metadata"]["name"] != "stays") == (
        Remove(ObjectRef(SERVICES, "shop", "goes"), "uid-goes"),
    )
