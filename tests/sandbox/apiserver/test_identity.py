"""Users and the file of their tokens."""

import pytest
from reconciler_sandbox.apiserver.identity import AUTHENTICATED, User, read_tokens, service_account


def test_a_token_file_names_users_and_groups() -> None:
    text = '# tokens\nt1,ann,1,"dev,ops"\n\nt2, bob, 2\n'
    assert read_tokens(text) == {
        "t1": User("ann", ("dev", "ops", AUTHENTICATED), "1"),
        "t2": User("bob", (AUTHENTICATED,), "2"),
    }


@pytest.mark.parametrize("text", ["t1", "t1,,1", ",ann,1", "t1,ann,1\nt1,bob,2"])
def test_a_bad_line_is_named_without_its_token(text: str) -> None:
    with pytest.raises(ValueError, match=r"line [12] of the token file") as refused:
        read_tokens(text)
    assert "t1" not in str(refused.value)


def test_a_service_account_is_a_user_with_its_groups() -> None:
    user = service_account("n", "bot")
    assert user.name == "system:serviceaccount:n:bot" and "system:serviceaccounts:n" in user.groups
