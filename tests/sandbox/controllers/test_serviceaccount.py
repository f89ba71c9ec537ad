"""Every namespace has its default ServiceAccount."""

from tests.kit.sandbox import running
from tests.kit.wait import until

ACCOUNT = "/api/v1/namespaces/shop/serviceaccounts/default"


async def test_a_namespace_has_a_default_account_even_after_its_deletion() -> None:
    async with running() as cluster:
        first = await until(lambda: cluster.api.get(ACCOUNT))
        await cluster.api.delete(ACCOUNT)

        async def another() -> bool:
            found = await cluster.api.get(ACCOUNT)
            return found is not None and found["metadata"]["uid"] != first["metadata"]["uid"]

        await until(another)
