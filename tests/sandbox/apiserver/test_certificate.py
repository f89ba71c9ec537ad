"""Certificates made for one run: what OpenSSL and Go take, nobody else's is taken."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from reconciler_sandbox.apiserver.certificate import Certificate, self_signed
from reconciler_sandbox.apiserver.server import ApiServer
from reconciler_sandbox.client import ApiClient, ApiError, http_caller


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return self_signed()


@pytest.fixture
async def served(certificate: Certificate) -> AsyncIterator[ApiServer]:
    server = ApiServer()
    await server.start(tls=certificate.context(), authority=certificate.authority)
    yield server
    await server.stop()


def trust(folder: Path, certificate: Certificate) -> str:
    (folder / "ca.pem").write_text(certificate.authority)
    return str(folder / "ca.pem")


async def test_it_is_verified_by_whoever_trusts_it(served: ApiServer, certificate: Certificate, tmp_path: Path) -> None:
    async with http_caller(served.url, ca_file=trust(tmp_path, certificate)) as call:
        assert await ApiClient(call).list("/api/v1/namespaces")
    assert served.url.startswith("https://127.0.0.1:")


async def test_another_one_is_not_trusted(served: ApiServer, tmp_path: Path) -> None:
    async with http_caller(served.url, ca_file=trust(tmp_path, self_signed())) as call:
        with pytest.raises(ApiError, match="no answer"):
            await ApiClient(call).list("/api/v1/namespaces")


def test_it_passes_the_strict_checks_and_names_its_hosts(certificate: Certificate) -> None:
    context = ssl.create_default_context(cadata=certificate.authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    [parsed] = context.get_ca_certs()
    assert parsed["subjectAltName"] == (("IP Address", "127.0.0.1"), ("DNS", "localhost"))


async def test_it_passes_the_strict_checks_of_a_client(served: ApiServer, certificate: Certificate) -> None:
    context = ssl.create_default_context(cadata=certificate.authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert await handshake(served, context) == "sandbox"


async def handshake(served: ApiServer, context: ssl.SSLContext) -> str:
    """The common name of who answers."""
    port = int(served.url.rpartition(":")[2])
    async with asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")
        subject = writer.get_extra_info("peercert")["subject"]
        writer.close()
        await writer.wait_closed()
    return str(dict(part for parts in subject for part in parts)["commonName"])


def test_the_key_is_not_in_its_text(certificate: Certificate) -> None:
    assert "PRIVATE" in certificate.key and "PRIVATE" not in repr(certificate)
