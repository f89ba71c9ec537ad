"""Reads the expectations of a story: one subject each, what is asked of it, and by when."""

from collections.abc import Callable, Collection, Mapping

from reconciler.kernel.strict import FieldError, StrictFields
from reconciler_sandbox.rehearsal.parse_fields import (
    comparison,
    mapping,
    nested,
    object_name,
    only_one,
    optional_comparison,
    optional_whole,
    path_text,
    seconds,
)
from reconciler_sandbox.rehearsal.story import (
    CommitNote,
    Commits,
    Expectation,
    GitFile,
    ObjectField,
    PullNote,
    Replicas,
    Share,
    Subject,
    Tagged,
    Users,
)

STATES = ("", "pending", "success", "failure", "error")


def expectations(fields: StrictFields, name: str, flows: Collection[str]) -> tuple[Expectation, ...]:
    """The list under `name`; `flows` are the traffic names that exist at this point of the story."""
    return fields.each(name, lambda inner: _expectation(inner, flows))


def _expectation(fields: StrictFields, flows: Collection[str]) -> Expectation:
    if fields.has("at"):
        raise FieldError(fields.path("at"), "an instant can only be met in virtual time; in real time write within: (a deadline)")
    what = fields.text("what")
    within, stays = seconds(fields, "within", "10s"), seconds(fields, "stays", "0s")
    kind = only_one(fields, tuple(SUBJECTS), "what is looked at")
    subject = SUBJECTS[kind](fields, flows)
    fields.done()
    return Expectation(what=what, subject=subject, within=within, stays=stays)


def _object(fields: StrictFields, _: Collection[str]) -> Subject:
    return ObjectField(
        target=object_name(fields, "object"),
        path=path_text(fields, "path"),
        where={where: str(text) for where, text in mapping(fields, "where").items()},
        comparison=comparison(fields),
    )


def _replicas(fields: StrictFields, _: Collection[str]) -> Subject:
    inner = nested(fields, "replicas")
    subject = Replicas(inner.text("image"), comparison(inner))
    inner.done()
    return subject


def _share(fields: StrictFields, flows: Collection[str]) -> Subject:
    inner = nested(fields, "share")
    share = Share(_flow(inner, flows), _parts(inner), inner.whole("requests", 2000, least=1))
    inner.done()
    return share


def _parts(fields: StrictFields) -> Mapping[str, float]:
    parts = {}
    for version, percent in mapping(fields, "of").items():
        if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
            raise FieldError(fields.path("of"), f"{version}: expected percent between 0 and 100, got {percent!r}")
        parts[version] = percent / 100
    if not parts or abs(sum(parts.values()) - 1) > 1e-6:
        raise FieldError(fields.path("of"), "the percents of all versions must sum up to 100")
    return parts


def _tagged(fields: StrictFields, flows: Collection[str]) -> Subject:
    inner = nested(fields, "tagged")
    tagged = Tagged(
        traffic=_flow(inner, flows),
        headers={name: str(value) for name, value in mapping(inner, "headers").items()},
        version=inner.text("version"),
        without=inner.text("without"),
        requests=inner.whole("requests", 20, least=1),
    )
    inner.done()
    if not tagged.headers:
        raise FieldError(inner.path("headers"), "is required: what makes a request a tester's")
    return tagged


def _users(fields: StrictFields, flows: Collection[str]) -> Subject:
    inner = nested(fields, "users")
    users = Users(
        traffic=_flow(inner, flows),
        version=inner.text("version", ""),
        failed=inner.flag("failed", False),
        comparison=comparison(inner),
    )
    inner.done()
    if bool(users.version) == users.failed:
        raise FieldError(fields.path("users"), "count either the answers of one version, or failed: true")
    return users


def _git(fields: StrictFields, _: Collection[str]) -> Subject:
    inner = nested(fields, "git")
    subject = GitFile(file=inner.text("file"), branch=inner.text("branch", "main"), comparison=comparison(inner))
    inner.done()
    return subject


def _commits(fields: StrictFields, _: Collection[str]) -> Subject:
    inner = nested(fields, "commits")
    subject = Commits(matching=inner.text("matching"), count=inner.whole("count"), branch=inner.text("branch", "main"))
    inner.done()
    return subject


def _pull(fields: StrictFields, _: Collection[str]) -> Subject:
    inner = nested(fields, "pull")
    note = PullNote(
        title=inner.text("title"),
        comments=optional_whole(inner, "comments"),
        text=optional_comparison(inner),
        status=inner.choice("status", STATES, ""),
    )
    inner.done()
    if note.comments is None and note.text is None and not note.status:
        raise FieldError(fields.path("pull"), "say what is expected: comments, contains or matches (of the last comment), status")
    return note


def _commit(fields: StrictFields, _: Collection[str]) -> Subject:
    inner = nested(fields, "commit")
    note = CommitNote(subject=inner.text("subject"), status=inner.choice("status", STATES, ""), text=optional_comparison(inner))
    inner.done()
    if note.text is None and not note.status:
        raise FieldError(fields.path("commit"), "say what is expected: status, or contains or matches (of its description)")
    return note


def _flow(fields: StrictFields, flows: Collection[str]) -> str:
    name = fields.text("traffic")
    if name not in flows:
        raise FieldError(fields.path("traffic"), f"no traffic is named {name!r}; known: {', '.join(sorted(flows)) or 'none'}")
    return name


SUBJECTS: Mapping[str, Callable[[StrictFields, Collection[str]], Subject]] = {
    "object": _object,
    "replicas": _replicas,
    "share": _share,
    "tagged": _tagged,
    "users": _users,
    "git": _git,
    "commits": _commits,
    "pull": _pull,
    "commit": _commit,
}
