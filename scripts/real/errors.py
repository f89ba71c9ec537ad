"""The one refusal of this package."""


class NotObtained(Exception):
    """A real component cannot be had on this machine; the message is one line and says why."""
