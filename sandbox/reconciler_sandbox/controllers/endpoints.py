"""Keeps the Endpoints of every Service with a selector: a pod being deleted leaves at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciler_sandbox.client import ApiClient
from reconciler_sandbox.controllers.addresses import selects, subsets_of
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import Key, Manifest, collection, everywhere, key_of, labels_of, one

SERVICES = "v1/services"
ENDPOINTS = "v1/endpoints"
PODS = "v1/pods"


class EndpointsController:
    """One Service a pass; which Services a pod concerns is remembered, because a relabelled pod also concerns the one it left."""

    name = "endpoints-controller"

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._selectors: dict[Key, dict[str, str]] = {}
        self._memberships: dict[Key, set[Key]] = defaultdict(set)

    def triggers(self) -> Sequence[Trigger]:
        """Services and pods."""
        return (Trigger(everywhere(SERVICES), self._of_service), Trigger(everywhere(PODS), self._of_pod))

    def _of_service(self, event: str, service: Manifest) -> Iterable[Key]:
        if event == "DELETED":
            self._selectors.pop(key_of(service), None)
        else:
            self._selectors[key_of(service)] = service["spec"].get("selector") or {}
        return (key_of(service),)

    def _of_pod(self, event: str, pod: Manifest) -> Iterable[Key]:
        key = key_of(pod)
        chosen = {service for service, selector in self._selectors.items() if service.namespace == key.namespace and selects(selector, pod)}
        before = self._memberships.pop(key, set())
        if event != "DELETED" and chosen:
            self._memberships[key] = chosen
        return chosen | before

    async def reconcile(self, key: Key) -> float | None:
        """Write the addresses of a Service, or remove those of a Service that is gone."""
        service = await self._client.get(one(SERVICES, key))
        if service is None:
            await self._client.delete(one(ENDPOINTS, key))
            return None
        selector = service["spec"].get("selector")
        if not selector:
            return None
        labels = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
        pods = await self._client.list(collection(PODS, key.namespace), labelSelector=labels)
        await self._write_endpoints(service, subsets_of(service, pods))
        return None

    async def _write_endpoints(self, service: Manifest, subsets: list[Manifest]) -> None:
        key = key_of(service)
        known = await self._client.get(one(ENDPOINTS, key))
        if known is None:
            manifest = {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": {"name": key.name, "namespace": key.namespace, "labels": labels_of(service)},
                **({"subsets": subsets} if subsets else {}),
            }
            await self._client.create(collection(ENDPOINTS, key.namespace), manifest)
            return
        if (known.get("subsets") or []) != subsets:
            await self._client.patch(one(ENDPOINTS, key), {"subsets": subsets or None})
