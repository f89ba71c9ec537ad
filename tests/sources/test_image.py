"""An image says its full name."""

from reconciler.sources.image import Image


def test_an_image_is_written_with_what_it_has() -> None:
    assert str(Image("r.io", "a/b", "1", "sha256:x")) == "r.io/a/b:1@sha256:x"
    assert Image("r.io", "a/b", digest="sha256:x").effective_tag == ""
