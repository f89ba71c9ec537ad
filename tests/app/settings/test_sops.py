"""The words of `sops:` in a source."""

from typing import Any

import pytest

from reconciler.app.settings.manifest import parse_settings
from reconciler.kernel.strict import FieldError
from reconciler.sources.renderer import render_options
from reconciler.sources.settings import SopsSettings
from tests.app.settings.test_helm import SOURCE


def test_all_words_reach_the_renderer() -> None:
    (without,) = parse_settings({"sources": [SOURCE]}).sources
    assert without.sops is None
    written = {"program": "/opt/sops", "ageKeyFile": "/keys/age", "pgpKeyFile": "/keys/pgp"}
    (source,) = parse_settings({"sources": [{**SOURCE, "sops": written}]}).sources
    assert render_options(source).sops == SopsSettings(program="/opt/sops", age_key_file="/keys/age", pgp_key_file="/keys/pgp")


@pytest.mark.parametrize(
    "sops, words",
    [
        ({}, "sops.ageKeyFile: or pgpKeyFile names the private key"),
        ({"program": "-x", "ageKeyFile": "k"}, "sops.program: '-x' is not a program's name or path"),
        ({"ageKey": "k"}, "sops.ageKey: unknown field"),
        ({"ageKeyFile": "AGE-SECRET-KEY-1QQ"}, "sops.ageKeyFile: holds the key itself"),
        ({"pgpKeyFile": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}, "sops.pgpKeyFile: holds the key itself"),
    ],
)
def test_wrong_words_are_named_and_a_key_is_not_repeated(sops: Any, words: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_settings({"sources": [{**SOURCE, "sops": sops}]})
    assert words in str(caught.value) and "1QQ" not in str(caught.value)
