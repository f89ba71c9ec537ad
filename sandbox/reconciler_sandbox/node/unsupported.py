"""What a container asks of the sandbox that it does not have."""


class Unsupported(Exception):
    """Something the sandbox cannot do for a container, by name."""
