"""Local policies take effect when their files change; a broken file keeps what it said before."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from reconciler.app.policyfiles import PolicyFiles
from reconciler.releases.policies.observe import LocalPolicies
from tests.kit.clusters import running
from tests.kit.desk import policy
from tests.kit.wait import until

EVERYWHERE = "apiVersion: reconciler.dev/v1alpha1\nkind: ClusterReleasePolicy\nmetadata: {name: every}\nspec: {onAbort: none}\n"


class Kept:
    """A folder of policies and what was understood of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local = LocalPolicies()
        self.files = PolicyFiles(str(folder), self.local)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    @property
    def names(self) -> list[str]:
        return [found.name for found in self.local.policies]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    yield Kept(tmp_path)


def test_policies_of_all_files_are_read_and_what_left_the_folder_is_forgotten(kept: Kept) -> None:
    kept.write("a.yaml", f"{policy('one')}---\n{policy('two')}")
    kept.write("b.yml", EVERYWHERE)
    kept.write("README.md", "not one")
    (kept.folder / "..data").mkdir()
    kept.write("..data/a.yaml", policy("bookkeeping"))
    assert kept.files.look() and kept.names == ["one", "two", "every"]
    assert not kept.files.look()
    (kept.folder / "a.yaml").unlink()
    assert kept.files.look() and kept.names == ["every"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: [", "a.yaml:"),
        (policy("one", "\n  onFailure: explode"), "a.yaml:5: ReleasePolicy one: spec.onFailure: 'explode' is not one of"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "a.yaml:1: a ConfigMap is no policy"),
        (policy("one").replace(", namespace: shop", ""), "a.yaml:1: ReleasePolicy one needs a metadata.namespace"),
        (EVERYWHERE.replace("{name: every}", "{name: every, namespace: shop}"), "speaks of all namespaces"),
        ("# " + "x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_a_broken_file_keeps_what_it_said_and_is_named_with_its_line(kept: Kept, text: str, words: str) -> None:
    kept.write("a.yaml", policy("one"))
    kept.write("b.yaml", EVERYWHERE)
    kept.files.look()
    kept.write("a.yaml", text)
    kept.write("b.yaml", EVERYWHERE.replace("every", "changed"))
    with capture_logs() as logs:
        kept.files.look()
        kept.files.look()
    assert kept.names == ["one", "changed"] and kept.local.unread == ()
    (problem,) = kept.files.problems
    assert words in problem
    assert [entry["problem"] for entry in logs] == [problem]
    kept.write("a.yaml", policy("mended"))
    kept.files.look()
    assert kept.names == ["mended", "changed"] and kept.files.problems == ()


def test_a_file_that_nobody_ever_understood_is_not_passed_over(kept: Kept) -> None:
    kept.write("a.yaml", "kind: [")
    kept.files.look()
    assert kept.local.unread == kept.files.problems != ()


def test_a_folder_that_is_not_there_is_a_problem_until_it_is(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "later")
    kept.files.look()
    assert "cannot be read: it does not exist; `policies` in the settings names a folder" in kept.files.problems[0] and kept.local.unread
    kept.folder.mkdir()
    assert kept.files.look() and kept.local.unread == ()


def test_without_a_folder_nothing_is_read() -> None:
    local = LocalPolicies()
    assert not PolicyFiles("", local).look() and local.policies == ()


async def test_an_edit_takes_effect_without_a_restart(kept: Kept) -> None:
    kept.write("a.yaml", policy("one"))
    changes: list[list[str]] = []
    async with running(kept.files.run(lambda: changes.append(kept.names))):
        await until(lambda: changes == [["one"]])
        kept.write("a.yaml", policy("two"))
        await until(lambda: changes[-1] == ["two"])
        kept.write("a.yaml", "kind: [")
        await until(lambda: kept.files.problems)
        kept.write("a.yaml", policy("three"))
        await until(lambda: changes[-1] == ["three"])
