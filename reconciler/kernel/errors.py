"""The two ways to fail that a caller may act on; every other exception is a bug and flies."""

MISSHAPEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What reading an object ends in that somebody wrote by hand, or that is half gone. Caught where one object must not cost the others."""


class Transient(Exception):
    """The world is in the way: try the same thing again later.

    `retry_after` is the number of seconds the other side asked us to wait, if it did.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Terminal(Exception):
    """The input is wrong: nothing changes until the input does.

    The message says what is wrong, where (file, line, field) and what to do.
    """
