"""How the mesh says that Envoy cannot run, has gone, or does not want a configuration."""


class EnvoyMissing(Exception):
    """There is no Envoy for this platform; the message says what to install."""


class EnvoyFailed(Exception):
    """Envoy did not start or has gone; the message carries the end of its log."""


class Rejected(Exception):
    """Envoy keeps its old configuration because it does not accept the new one; the message names the file."""
