"""The console that an interactive demo prints: it answers, and its key lets a person press."""

from pathlib import Path

import httpx
from reconciler_sandbox.rehearsal.browsing import browsing
from reconciler_sandbox.rehearsal.fittings import kubeconfig

from tests.kit.clusters import api


async def test_the_printed_addresses_show_the_cluster_and_let_verbs_be_pressed(tmp_path: Path) -> None:
    async with api(listening=True) as cluster:
        file = tmp_path / "kubeconfig"
        file.write_text(kubeconfig(cluster.server.url))
        async with browsing(file) as (address, entry), httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
            page = await browser.get(address)
            assert page.status_code == 200 and "rehearsal" in page.text and "Read-only" in page.text
            assert "You are <b>" in (await browser.get(entry)).text
