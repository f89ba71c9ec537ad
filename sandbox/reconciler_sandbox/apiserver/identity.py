"""Who calls: users with their groups, and the file of tokens that stand for them."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class User:
    """A user as a server knows one: a name and groups, nothing is stored of it."""

    name: str
    groups: tuple[str, ...] = (AUTHENTICATED,)
    uid: str = ""


ADMIN = User("sandbox-admin", (MASTERS, AUTHENTICATED))
SYSTEM = User("system:apiserver", (MASTERS, AUTHENTICATED))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a ServiceAccount's token stands for."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{SERVICE_ACCOUNT}{namespace}:{name}", groups, uid)


def read_tokens(text: str) -> Mapping[str, User]:
    """The users of a token file in Kubernetes' own form: lines of `token,user,uid,"group1,group2"`. Raises ValueError."""
    users = {}
    for number, row in enumerate(csv.reader(io.StringIO(text), skipinitialspace=True), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if len(cells) < 3 or not cells[0] or not cells[1]:
            raise ValueError(f'line {number} of the token file is not `token,user,uid,"group1,group2"`')
        if cells[0] in users:
            raise ValueError(f"line {number} of the token file has the token of an earlier line")
        groups = [group.strip() for group in (cells[3] if len(cells) > 3 else "").split(",") if group.strip()]
        users[cells[0]] = User(cells[1], (*groups, AUTHENTICATED), cells[2])
    return users
