"""Names and identities of releases."""

import re

from reconciler.releases.identity import identity_hash, release_name
from reconciler.sources.documents import Parsed
from reconciler.sources.templates import workloads
from tests.kit.manifests import deployment, parsed

REFERENCE = "          envFrom: [{configMapRef: {name: settings}}]\n"


def config(value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: shop}}\ndata: {{level: {value}}}\n"


def hash_of(source: Parsed) -> str:
    (workload,) = workloads(source).values()
    return identity_hash(source, workload)


def test_the_same_template_has_the_same_identity_wherever_it_stands() -> None:
    assert hash_of(parsed(a=deployment())) == hash_of(parsed(b="# moved\n" + deployment()))


def test_image_environment_and_referenced_config_are_part_of_it() -> None:
    base = hash_of(parsed(a=deployment()))
    assert hash_of(parsed(a=deployment(image="web:2"))) != base
    with_config = [hash_of(parsed(a=deployment(extra=REFERENCE), b=config(value))) for value in ("low", "high")]
    assert len({base, *with_config}) == 3


def test_config_that_nobody_refers_to_is_not() -> None:
    assert hash_of(parsed(a=deployment(), b=config("low"))) == hash_of(parsed(a=deployment(), b=config("high")))


def test_a_name_is_deterministic_and_short_enough_for_every_workload() -> None:
    place = ("shop", "Staging_EU", "3f9a1c2b99")
    assert re.fullmatch(r"web-staging-eu-[0-9a-f]{8}-8d0e4f7", release_name("web", place, "8d0e4f7aa"))
    assert release_name("web", place, "8d0e4f7aa", 2) == release_name("web", place, "8d0e4f7aa") + "-2"
    long = release_name("w" * 253, ("s", "e" * 63, "i"), "8d0e4f7aa", 99)
    assert len(long) <= 253 and re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", long)


def test_two_environments_and_two_sources_never_call_their_releases_alike() -> None:
    places = [("shop", "staging", "i"), ("shop", "production", "i"), ("other", "staging", "i"), ("shop", "staging", "j")]
    assert len({release_name("web", place, "8d0e4f7aa") for place in places}) == 4


def test_a_name_has_a_word_for_what_is_not_known() -> None:
    assert re.fullmatch(r"web-x-[0-9a-f]{8}-none", release_name("web", ("shop", "", "3f9a"), ""))
    assert re.fullmatch(r"web-x-[0-9a-f]{8}-none", release_name("web", ("shop", "__", "3f9a"), ""))
