"""What a host remembers."""

from reconciler_sandbox.githost.records import STATUSES_PER_CONTEXT, Book, Comment, Pull, Status


def status(number: int, context: str, state: str = "success") -> Status:
    return Status(id=number, sha="s", state=state, context=context, description="", target_url="", author="bot")


def test_the_newest_status_of_a_context_counts() -> None:
    book = Book(statuses={"s": [status(1, "a"), status(2, "b"), status(3, "a", "failure")]})
    assert [(s.id, s.state) for s in book.newest("s")] == [(3, "failure"), (2, "success")]
    assert book.newest("other") == []


def test_a_commit_is_full_after_a_thousand_statuses_of_a_context() -> None:
    book = Book(statuses={"s": [status(n, "a") for n in range(STATUSES_PER_CONTEXT)]})
    assert book.full("s", "a")
    assert not book.full("s", "b")


def test_a_conversation_is_of_one_pull_request() -> None:
    comments = {n: Comment(id=n, number=n % 2, author="ann", body="") for n in range(4)}
    assert [c.id for c in Book(comments=comments).conversation(1)] == [1, 3]


def test_only_an_open_pull_request_is_in_the_way_of_another() -> None:
    pull = Pull(number=1, title="", body="", author="ann", head="h", base="b", head_sha="s")
    assert Book(pulls={1: pull}).open_pull("h", "b") == pull
    assert Book(pulls={1: pull}).open_pull("h", "c") is None
    assert not pull.merged
