"""What the controllers of workloads share: what they watch, the subject of their events, a status that is written when it differs."""

from dataclasses import dataclass
from typing import Any

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.events import Subject
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import Manifest, controller_keys, everywhere, key_of, one

PODS = "v1/pods"


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of workload: its resource, e.g. `apps/v1/deployments`, and its kind."""

    resource: str
    kind: str

    @property
    def api_version(self) -> str:
        """Group and version."""
        return self.resource.rpartition("/")[0]

    def itself(self) -> Trigger:
        """An event of an object concerns that object."""
        return Trigger(everywhere(self.resource), lambda _, manifest: (key_of(manifest),))

    def owner_of(self, resource: str) -> Trigger:
        """An event of an object of another resource concerns the controller that owns it."""
        return Trigger(everywhere(resource), lambda _, manifest: controller_keys(self.kind, manifest))

    def subject(self, manifest: Manifest) -> Subject:
        """What an event about an object names."""
        return Subject(self.api_version, self.kind, manifest)

    async def write_status(self, client: ApiClient, manifest: Manifest, status: dict[str, Any]) -> None:
        """Write a status, as a merge patch, unless it says that already."""
        written = manifest.get("status") or {}
        if any(written.get(name) != value for name, value in status.items()):
            await client.patch(one(self.resource, key_of(manifest)) + "/status", {"status": status})


DEPLOYMENT = Workload("apps/v1/deployments", "Deployment")
REPLICA_SET = Workload("apps/v1/replicasets", "ReplicaSet")
JOB = Workload("batch/v1/jobs", "Job")
