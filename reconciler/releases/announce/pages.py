"""Where a release is looked at in a browser: the address of its page in the console. Pure."""

from urllib.parse import quote

from reconciler.releases.model import Release


def page_of(console: str, release: Release) -> str:
    """The permanent address of a release; empty where people have no console. `console` is where it is opened, without a last slash."""
    return f"{console}/releases/{quote(release.namespace, safe='')}/{quote(release.name, safe='')}" if console else ""
