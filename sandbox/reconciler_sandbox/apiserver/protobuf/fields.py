"""One line of text per message → what its fields are: numbers, names as in JSON, types, and when a zero is written.

A row reads `NUMBER NAME[FORM] [TYPE]`, rows are separated by commas. TYPE is text if absent, else int, bool, bytes, Quantity,
IntOrString, Time, MicroTime, Raw (JSON inside), Free (JSON only, not looked into) or the name of a message. FORM is:
nothing: a zero is left out; `?`: a pointer, whose zero counts; `!`: always written; `[]`: a list; `{}`: a map from text.
The NAME `+` embeds a message: its fields are those of the one around it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PLAIN, POINTER, ALWAYS, LIST, MAP = "", "?", "!", "[]", "{}"
EMBEDDED = "+"
FREE = "Free"
SCALARS = frozenset({"text", "int", "bool", "bytes", "Quantity", "IntOrString", "Time", "MicroTime", "Raw", FREE})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; the name `+` stands for an embedded message."""

    name: str
    type: str
    form: str

    @property
    def embedded(self) -> bool:
        """Whether its fields belong to the message around it."""
        return self.name == EMBEDDED


Message = Mapping[int, Field]
Tables = Mapping[str, str]


def parse(rows: str) -> Message:
    """The fields of a message by number."""
    found: dict[int, Field] = {}
    for row in rows.split(","):
        number, name, *rest = row.split()
        form = next((one for one in (LIST, MAP, POINTER, ALWAYS) if name.endswith(one)), PLAIN)
        if int(number) in found:
            raise ValueError(f"field number {number} twice in: {rows}")
        found[int(number)] = Field(name.removesuffix(form), rest[0] if rest else "text", form)
    return found
