"""What a source's pass asks of the release layer, in one place: open what the tip asks for, and say what each template waits for."""

from dataclasses import dataclass

from reconciler.kernel.errors import Terminal, Transient
from reconciler.kube.errors import ApiError
from reconciler.kube.fence import Fenced
from reconciler.releases.apply_opener import ReleaseOpener
from reconciler.sources.images import container_images
from reconciler.sources.source_port import SourcePort, Tip
from reconciler.sources.templates import Workload
from reconciler.sync.facts import GateFacts


@dataclass(frozen=True, slots=True)
class Opened:
    """What came of opening releases: workloads that cannot be judged, and why the rest could not be opened at all; empty when it was."""

    unjudged: tuple[str, ...] = ()
    failure: str = ""


class Releases:
    """The release layer as a source sees it."""

    def __init__(self, opener: ReleaseOpener) -> None:
        self._opener = opener

    async def open(self, source: SourcePort, tip: Tip) -> Opened:
        """Open the releases that a tip asks for. What stops it stops only templates; writes that are withheld end the pass."""
        try:
            return Opened(await self._opener.open(source, tip))
        except Fenced:
            raise
        except (Transient, Terminal, ApiError) as error:
            return Opened(failure=str(error))

    def gate(self, workload: Workload, identity: str) -> GateFacts:
        """What decides whether the template of a workload may change, as the caches have it now."""
        history = self._opener.history(workload.template.key[1], workload.id.name)
        rollout = self._opener.rollout(workload)
        images = {container: text for container, _, text in container_images(workload.template.manifest)}
        first = self._opener.awaited(workload, identity, history)
        return GateFacts(identity, images, tuple(history), rollout, first)
