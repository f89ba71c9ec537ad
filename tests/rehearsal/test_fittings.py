"""What the stage is fitted with is what the daemon accepts."""

import stat
from pathlib import Path

import yaml
from reconciler_sandbox.rehearsal.fittings import BOT, REPOSITORY, definitions, kubeconfig, namespaces, secret_file, settings, with_sources

from reconciler.app.settings.reading import settings_of


def test_the_settings_are_settings_of_the_daemon(tmp_path: Path) -> None:
    text = settings(
        repository="http://127.0.0.1:1/shop/manifests.git",
        forge="http://127.0.0.1:1/api/v3",
        prometheus="http://127.0.0.1:2",
        listen="127.0.0.1:3",
        token_file=tmp_path / "token",
    )
    (source,) = settings_of(text, "reconciler.yaml").sources
    assert (source.apply, source.interval.total_seconds()) == (True, 1)
    assert source.credentials is not None and source.credentials.username == BOT
    assert source.forge is not None and source.forge.repository == REPOSITORY


def test_ours_and_istios_kinds_are_defined() -> None:
    names = {definition["metadata"]["name"] for definition in definitions()}
    assert {"rollouts.argoproj.io", "releases.reconciler.dev", "virtualservices.networking.istio.io"} <= names


def test_the_sample_repositorys_namespaces_exist() -> None:
    assert {"shop", "istio-ingress"} <= {namespace["metadata"]["name"] for namespace in namespaces()}


def test_a_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    path = secret_file(tmp_path / "token", "s3cret")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (0o600, "s3cret")


def test_a_kubeconfig_names_its_server() -> None:
    assert yaml.safe_load(kubeconfig("http://127.0.0.1:1"))["clusters"][0]["cluster"]["server"] == "http://127.0.0.1:1"


def test_only_the_source_that_needs_it_may_write_more_kinds(tmp_path: Path) -> None:
    text = settings(
        repository="http://127.0.0.1:1/a.git", forge="", prometheus="http://127.0.0.1:2", listen="", token_file=tmp_path / "token"
    )
    shop, catalog = yaml.safe_load(with_sources(text, {"shop": "environments/demo", "catalog": "catalog/demo"}))["sources"]
    assert (shop["path"], catalog["path"]) == ("environments/demo", "catalog/demo")
    assert set(catalog["allow"]["kinds"]) - set(shop["allow"]["kinds"]) == {"Ingress.networking.k8s.io"}
