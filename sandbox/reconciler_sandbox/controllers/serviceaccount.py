"""Gives every namespace its `default` ServiceAccount."""

from collections.abc import Sequence

from reconciler_sandbox.client import ApiClient, ApiError
from reconciler_sandbox.controllers.loop import Trigger
from reconciler_sandbox.controllers.objects import Key, collection, everywhere, is_deleting, key_of, one

SERVICE_ACCOUNTS = "v1/serviceaccounts"


class ServiceAccountController:
    """Creates the account again whenever it is missing."""

    name = "serviceaccount-controller"

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def triggers(self) -> Sequence[Trigger]:
        """Namespaces, and accounts that somebody deleted."""
        return (
            Trigger("/api/v1/namespaces", lambda _, manifest: (key_of(manifest),)),
            Trigger(
                everywhere(SERVICE_ACCOUNTS),
                lambda event, manifest: (Key("", key_of(manifest).namespace),) if event == "DELETED" else (),
            ),
        )

    async def reconcile(self, key: Key) -> float | None:
        """Create the account if the namespace lives and lacks it."""
        namespace = await self._client.get(f"/api/v1/namespaces/{key.name}")
        if namespace is None or is_deleting(namespace):
            return None
        if await self._client.get(one(SERVICE_ACCOUNTS, Key(key.name, "default"))) is not None:
            return None
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": key.name}}
        try:
            await self._client.create(collection(SERVICE_ACCOUNTS, key.name), account)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        return None
