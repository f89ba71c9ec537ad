"""The pages as files: whole, linked to each other, inside their folder."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from reconciler.app.console.export import file_of, relative
from reconciler.app.console.rendering import address
from reconciler.kernel.clock import SystemClock
from reconciler.kube.client import Client
from tests.app.console.test_server import links_of
from tests.kit.fleet import fill
from tests.kit.shell import Shell


def fleet(sh: Shell) -> None:
    async def filled(_: Client) -> None:
        await fill(sh.cluster, SystemClock().now())

    sh.ask(filled)


def test_the_command_writes_pages_whose_links_lead_to_files(sh: Shell, tmp_path: Path) -> None:
    fleet(sh)
    folder = tmp_path / "post mortem"
    ended = sh("console", "-A", "--export", str(folder))
    assert ended.code == 0 and f"open {folder / 'index.html'}" in ended.output
    files = sorted(folder.rglob("*.html"))
    assert {"index.html", "holds.html", "sources.html", "policies.html"} <= {file.name for file in files}
    assert (folder / "rollouts" / "shop" / "storefront" / "history.html") in files
    for file in files:
        links = links_of(file.read_text())
        assert links.forbidden == [] and "<script" not in file.read_text()
        own = [unquote(urlsplit(link).path) for link in links.found if not urlsplit(link).scheme and urlsplit(link).path]
        assert own and [link for link in own if not (file.parent / link).is_file()] == []
    assert json.loads((folder / "index.json").read_text())


def test_a_namespace_of_the_context_is_what_is_written_without_more_words(sh: Shell, tmp_path: Path) -> None:
    fleet(sh)
    assert sh("console", "-n", "pay", "--export", str(tmp_path / "out")).code == 0
    assert [row["name"] for row in json.loads((tmp_path / "out" / "index.json").read_text())] == ["ledger"]


SAME = {
    ("list", "rollouts", "-A"): "index.json",
    ("get", "rollout", "storefront", "-n", "shop"): "rollouts/shop/storefront.json",
    ("releases", "list", "-n", "shop"): "rollouts/shop/storefront/history.json",
    ("releases", "show", "checkout-77b1e0aa-51c2d3e", "-n", "shop"): "releases/shop/checkout-77b1e0aa-51c2d3e.json",
    ("hold", "list", "-A"): "holds.json",
    ("source", "list"): "sources.json",
}


def test_the_documents_of_the_pages_are_those_of_the_command_line(sh: Shell, tmp_path: Path) -> None:
    fleet(sh)
    assert sh("console", "-A", "--export", str(tmp_path)).code == 0
    for command, file in SAME.items():
        told = sh(*command, "-o", "json")
        assert told.code == 0, (command, told.errors)
        printed = json.loads(told.output)
        paged = json.loads((tmp_path / file).read_text())
        if isinstance(printed, list):
            if file.endswith("history.json"):
                printed = [row for row in printed if row["spec"]["workload"]["name"] == "storefront"]
            printed, paged = (sorted(rows, key=lambda row: (row.get("namespace", ""), row["name"])) for rows in (printed, paged))
        assert printed and paged == printed, command


def test_a_folder_that_cannot_be_written_is_named(sh: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = sh("console", "-A", "--export", str(tmp_path / "file" / "out"))
    assert ended.code == 3 and str(tmp_path / "file") in ended.errors and "--export" in ended.errors


@pytest.mark.parametrize("name", ["..", ".", "../../x", "a/b", "%2e%2e", "<b>", "web?page=2", "a#b"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    assert ".." not in Path(file_of(address("rollouts", name, "web", "history"))).parts
    file = file_of(address("releases", "shop", name))
    parts = Path(file).parts
    assert parts[:2] == ("releases", "shop") and len(parts) == 3 and ".." not in parts and file.endswith(".html")
    assert unquote(relative("releases/shop/x.html", address("releases", "shop", name))) == f"../../{file}"


def test_sheets_have_files_of_their_own() -> None:
    files = [file_of(path) for path in ("/", "/?page=2", "/holds", "/holds?page=3")]
    assert files == ["index.html", "index-2.html", "holds.html", "holds-3.html"]
