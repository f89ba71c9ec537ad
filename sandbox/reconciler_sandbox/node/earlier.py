"""What a container was before this node began: a node that is started again runs nothing of what the API says it runs.

As a kubelet after a reboot: what ran was lost with the node and counts as ended; whether it starts again is its restart policy's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler_sandbox.controllers.objects import Manifest, now
from reconciler_sandbox.node.caller import Ended

LOST = Ended(137, "the container was lost when its node was started again")


@dataclass(frozen=True, slots=True)
class Earlier:
    """How often a container was started again, and how it ended last."""

    restarts: int
    ended: Ended
    since: datetime
    until: datetime

    def settles(self, restart_policy: str) -> bool:
        """Whether it does not start again."""
        return restart_policy == "Never" or (restart_policy == "OnFailure" and self.ended.code == 0)


def earlier_of(pod: Manifest, name: str) -> Earlier | None:
    """The earlier life of a container by its pod's status; None if it never started."""
    status = pod.get("status") or {}
    known = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    found: Manifest = next((one for one in known if one.get("name") == name), {})
    state = found.get("state") or {}
    restarts = int(found.get("restartCount") or 0)
    if "running" in state:
        return Earlier(restarts, LOST, _moment(state["running"].get("startedAt")), now())
    ended = state.get("terminated") or (found.get("lastState") or {}).get("terminated")
    if not ended:
        return None
    how = Ended(int(ended.get("exitCode") or 0), str(ended.get("message") or ""))
    return Earlier(restarts, how, _moment(ended.get("startedAt")), _moment(ended.get("finishedAt")))


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else now()
