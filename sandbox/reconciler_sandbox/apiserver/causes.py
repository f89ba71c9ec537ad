"""What is wrong with one field of an object, in the API's words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong; `reason` is without its prefix FieldValue, e.g. Invalid or Required."""

    field: str
    message: str
    reason: str = "Invalid"

    @property
    def code(self) -> str:
        """The machine word of the cause."""
        return f"FieldValue{self.reason}"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message
