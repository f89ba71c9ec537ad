"""REST: the conversation of a pull request — comments and labels."""

from dataclasses import replace

from reconciler_sandbox.githost import views
from reconciler_sandbox.githost.answers import Reply, invalid, missing, page
from reconciler_sandbox.githost.calls import Call
from reconciler_sandbox.githost.records import Comment, timestamp

WRITE = "issues=write"


async def read_user(call: Call) -> Reply:
    """Who is asking."""
    return Reply(200, views.user(call.user))


async def list_comments(call: Call) -> Reply:
    """Oldest first."""
    comments = call.project.book.conversation(call.pull.number)
    return page([_shown(call, comment) for comment in comments], call.url)


async def create_comment(call: Call) -> Reply:
    """Whoever may read may comment."""
    book, pull = call.project.book, call.pull
    comment = Comment(id=next(book.ids), number=pull.number, author=call.user, body=_body(call))
    book.comments[comment.id] = comment
    return Reply(201, _shown(call, comment))


async def update_comment(call: Call) -> Reply:
    """Its author and those who may write may change it."""
    comment = replace(_own(call), body=_body(call), updated_at=timestamp())
    call.project.book.comments[comment.id] = comment
    return Reply(200, _shown(call, comment))


async def delete_comment(call: Call) -> Reply:
    del call.project.book.comments[_own(call).id]
    return Reply(204)


async def add_labels(call: Call) -> Reply:
    """Labels that the conversation has already stay as they are."""
    call.require_write(WRITE)
    number, wanted = call.pull.number, call.body.get("labels")
    if not isinstance(wanted, list) or not all(isinstance(name, str) and name for name in wanted):
        raise invalid("Label", "labels", code="invalid")
    labels = call.project.book.labels
    labels[number] = tuple(dict.fromkeys([*labels.get(number, ()), *wanted]))
    return Reply(200, [views.label(name) for name in labels[number]])


def _body(call: Call) -> str:
    body = call.text("IssueComment", "body")
    if not body.strip():
        raise invalid("IssueComment", "body", "Body cannot be blank")
    return body


def _comment(call: Call) -> Comment:
    comment = call.project.book.comments.get(int(call.params["comment"]))
    if comment is None:
        raise missing()
    return comment


def _own(call: Call) -> Comment:
    comment = _comment(call)
    if comment.author != call.user:
        call.require_write(WRITE)
    return comment


def _shown(call: Call, comment: Comment) -> views.Document:
    return views.comment(comment, call.site, call.project.name)
