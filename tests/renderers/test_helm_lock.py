"""What a lock pins, and what is refused before anything is fetched."""

import pytest

from reconciler.git.objects import SourceProblem
from reconciler.renderers.helm_lock import Dependency, dependencies_of, digest_of, lock_of, mapping_of, pinned, refusal_of
from reconciler.sources.charts import ChartRegistry, ChartWish, archive_address, below

# Both as helm 4 wrote them: `helm dependency update` against a repository on this machine.
CHART = b"""apiVersion: v2
name: web
version: 1.0.0
dependencies:
- name: sub
  version: ">=1.0.0 <2.0.0-0"
  repository: http://127.0.0.1:8765
  condition: sub.enabled
  tags: [a, b]
  import-values:
  - data
  - parent: z
    child: a
- name: sub
  alias: two
  version: 1.x
  repository: http://127.0.0.1:8765/
"""
LOCK = b"""dependencies:
- name: sub
  repository: http://127.0.0.1:8765
  version: 1.2.3+b.1
- name: sub
  repository: http://127.0.0.1:8765/
  version: 1.2.3+b.1
digest: sha256:6f5eb89b3ddc148b67f4f1744dc9454befd49ed6f34d91ee0744b08c0c3d48dc
generated: "2026-11-30T16:00:38.651938668Z"
"""


def first(chart: bytes = CHART, lock: bytes | None = LOCK) -> ChartWish | SourceProblem:
    files = {"c/Chart.yaml": chart} | ({"c/Chart.lock": lock} if lock is not None else {})
    return pinned("c/Chart.yaml", lock_of("c", files), dependencies_of(*mapping_of(chart, "chart"))[0])


def test_versions_are_those_of_a_lock_that_fits() -> None:
    assert first() == ChartWish("http://127.0.0.1:8765", "sub", "1.2.3+b.1")


def locked(version: str, *, repository: str = "http://127.0.0.1:8765") -> bytes:
    """A lock whose digest fits, which helm would not have written."""
    wanted = mapping_of(CHART, "chart")[1]["dependencies"]
    entry = {"name": "sub", "repository": repository, "version": version}
    return (
        f"dependencies: [{{name: sub, repository: '{repository}', version: '{version}'}}]\ndigest: {digest_of(wanted, [entry])}\n".encode()
    )


@pytest.mark.parametrize(
    ("chart", "lock", "words"),
    [
        (CHART, None, "c/Chart.yaml:5: the dependency 'sub' (from http://127.0.0.1:8765) is not in charts/, and there is no Chart.lock"),
        (CHART.replace(b"1.x", b"2.x"), LOCK, "c/Chart.lock:8: does not fit Chart.yaml: its digest is another"),
        (CHART, LOCK.replace(b"b.1", b"b.2"), "c/Chart.lock:8: does not fit Chart.yaml: its digest is another"),
        (CHART, b"digest: 1\n", "c/Chart.lock:1: does not fit Chart.yaml"),
        (CHART, b"dependencies: [1]\ndigest: ''\n", "c/Chart.lock:2: does not fit Chart.yaml"),
        (CHART, b"a: [", "c/Chart.lock:2: not YAML"),
        (CHART, b"- a", "c/Chart.lock:1: is no lock: one YAML mapping is expected"),
        (CHART, locked("1.x"), "c/Chart.lock:1: the version of 'sub' is none like 1.2.3"),
        (CHART, locked("../../1.2.3"), "c/Chart.lock:1: the version of 'sub' is none like 1.2.3"),
        (CHART, locked("1.2.3", repository="https://else.invalid"), "c/Chart.lock:1: does not say which 'sub'"),
    ],
)
def test_a_lock_that_does_not_fit_is_one_problem_with_its_line(chart: bytes, lock: bytes | None, words: str) -> None:
    found = first(chart, lock)
    assert words in str(found) and "run `helm dependency update`, and commit Chart.lock" in str(found)


@pytest.mark.parametrize(
    ("repository", "words"),
    [
        ("https://h/charts", ""),
        ("https://h/charts/stable/", ""),
        ("https://H:443/charts", ""),
        ("http://h/charts", "its repository is in none of the source's `helm.registries`"),
        ("https://h:8443/charts", "its repository is in none of"),
        ("https://h.evil.invalid/charts", "its repository is in none of"),
        ("https://h/charts-of-others", "its repository is in none of"),
        ("https://h/charts/../secret", "its repository is in none of"),
        ("https://h/charts/%2e%2e/secret", "its repository is in none of"),
        ("https://h/charts?x=1", "its repository is in none of"),
        ("https://h@else.invalid/charts", "(from https://*****@else.invalid/charts)"),
        ("ftp://h/charts", "its repository is in none of"),
        ("oci://h/charts", "its repository is in none of the source's `helm.registries`"),
        ("@stable", "an alias of a repository is known to one machine's helm alone"),
        ("alias:stable", "an alias of a repository is known to one machine's helm alone"),
        ("", "is not in charts/, and nothing is fetched; run `helm dependency build`"),
    ],
)
def test_only_what_is_below_a_registry_is_fetched(repository: str, words: str) -> None:
    refused = refusal_of("Chart.yaml", Dependency("a", repository, 3, 0), (ChartRegistry(url="https://h/charts"),))
    assert refused is None if not words else words in str(refused)


def test_without_registries_nothing_is_and_the_setting_is_named() -> None:
    refused = str(refusal_of("Chart.yaml", Dependency("a", "https://h/charts", 3, 0), ()))
    assert refused.startswith("Chart.yaml:3: the dependency 'a' (from https://h/charts) is not in charts/, and nothing is fetched; run")
    assert "or list where it comes from under the source's `helm: {registries: [{url: …}]}`" in refused
    assert "no name of a chart" in str(refusal_of("c", Dependency("../a", "https://h", 1, 0), (ChartRegistry(url="https://h"),)))


def test_an_index_names_an_archive_from_its_own_folder_from_the_host_or_whole() -> None:
    for named, address in {
        "a-1.0.0.tgz": "https://h/charts/a-1.0.0.tgz",
        "charts/a-1.0.0%2B1.tgz": "https://h/charts/charts/a-1.0.0%2B1.tgz",
        "/a.tgz": "https://h/a.tgz",
        "https://else.example.com/a.tgz": "https://else.example.com/a.tgz",
        "": "",
        "//else.invalid/a.tgz": "",
        "../a.tgz": "",
        "a.tgz?x=1": "",
        "file:///etc/passwd": "",
    }.items():
        assert archive_address("https://h/charts/", named) == address
    assert below("", (ChartRegistry(url="https://h"),)) is None
