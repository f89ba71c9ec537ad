"""Values of ConfigMaps and Secrets."""

from reconciler.app.lint.config import config_remarks
from tests.kit.lint import library


def test_only_text_is_a_value() -> None:
    manifest = {"data": {"a": "1", "b": 2, "c": None, "d": True}, "binaryData": []}
    assert [remark.field for remark in config_remarks(manifest, library())] == ["data['b']", "data['d']", "binaryData"]
