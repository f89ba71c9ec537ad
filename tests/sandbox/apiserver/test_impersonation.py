"""Acting as somebody else."""

import pytest
from reconciler_sandbox.apiserver.failures import Failure
from reconciler_sandbox.apiserver.identity import AUTHENTICATED, User
from reconciler_sandbox.apiserver.impersonation import acting
from reconciler_sandbox.apiserver.rights import Asked

ANN = User("ann")


def asked(headers: dict[str, str]) -> tuple[User, list[Asked]]:
    found: list[Asked] = []
    return acting(ANN, headers, lambda user, wanted: found.append(wanted)), found


def test_without_a_word_a_call_is_of_its_user() -> None:
    assert asked({}) == (ANN, [])


def test_a_user_and_each_group_are_asked_for() -> None:
    user, wanted = asked({"Impersonate-User": "bob", "Impersonate-Group": "dev, ops"})
    assert user == User("bob", ("dev", "ops", AUTHENTICATED))
    assert [(one.verb, one.resource, one.name) for one in wanted] == [
        ("impersonate", "users", "bob"), ("impersonate", "groups", "dev"), ("impersonate", "groups", "ops")
    ]  # fmt: skip


def test_a_service_account_brings_its_groups() -> None:
    user, [wanted] = asked({"Impersonate-User": "system:serviceaccount:prod:robot"})
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:prod", AUTHENTICATED)
    assert (wanted.resource, wanted.namespace, wanted.name) == ("serviceaccounts", "prod", "robot")


def test_groups_alone_are_nobody() -> None:
    with pytest.raises(Failure, match="without impersonating a user"):
        asked({"Impersonate-Group": "dev"})


def test_who_may_not_is_refused_before_anything_else() -> None:
    def refuse(user: User, wanted: Asked) -> None:
        raise Failure(403, "Forbidden", f"{user.name} {wanted.verb} {wanted.name}")

    with pytest.raises(Failure, match="ann impersonate bob"):
        acting(ANN, {"impersonate-user": "bob"}, refuse)
