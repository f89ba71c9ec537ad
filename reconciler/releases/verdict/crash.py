"""Which container crash-loops. An image that cannot be pulled is no crash: it counts only when the progress deadline has passed. Pure."""

from collections.abc import Iterable

from reconciler.kernel.identity import Manifest, name_of

CONTAINERS = ("initContainerStatuses", "containerStatuses")


def crash_of(pods: Iterable[Manifest], restarts: int) -> str:
    """The first container that was restarted at least `restarts` times and is not ready, in words; empty when there is none."""
    for pod in pods:
        status = pod.get("status") or {}
        for container in (one for group in CONTAINERS for one in status.get(group) or ()):
            count = int(container.get("restartCount") or 0)
            if count >= restarts and not container.get("ready"):
                return f"container {container.get('name')} of pod {name_of(pod)} crash-loops: {count} restarts{_last(container)}"
    return ""


def _last(container: Manifest) -> str:
    ended = (container.get("lastState") or {}).get("terminated") or {}
    if "exitCode" not in ended:
        return ""
    reason = f" ({ended['reason']})" if ended.get("reason") else ""
    return f", last exit code {ended['exitCode']}{reason}"
