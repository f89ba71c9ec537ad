"""Who changed what between two heads."""

from reconciler.git.history import commit_facts, commits_between, last_set
from reconciler.git.mirror import Mirror
from tests.kit.repositories import Origin, Person

BOB = Person("Bob B. \x1e\x1f", "bob@example.com", 1_700_000_100)


async def test_commits_between_two_heads_say_who_and_which_files(origin: Origin, mirror: Mirror) -> None:
    old = (await mirror.fetch("main")).new
    first = origin.commit(
        {"env/web.yaml": "image: web:2\n", "env/ü x.yaml": "a"}, "web 2\n\nWhy: because\n\nRelease-Id: 7\nKind: a\n  b\n", author=BOB
    )
    origin.commit({"README.md": "not here"}, "elsewhere")
    second = origin.commit({"env/api.yaml": "image: api:2\n"}, "api 2")
    new = (await mirror.fetch("main")).new
    newest, older = await commits_between(mirror.runner, old, new, ["env"])
    assert (newest.oid, newest.files, newest.subject, newest.author_name) == (second, ("env/api.yaml",), "api 2", "Ann")
    assert (older.oid, older.files) == (first, ("env/web.yaml", "env/ü x.yaml"))
    assert (older.author_email, older.time.timestamp()) == ("bob@example.com", 1_700_000_100)
    assert dict(older.trailers) == {"Release-Id": "7", "Kind": "a b"}


async def test_the_first_look_names_the_newest_commit_only(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"env/web.yaml": "image: web:2\n"}, "web 2")
    origin.commit({"README.md": "x"})
    new = (await mirror.fetch("main")).new
    assert [facts.subject for facts in await commits_between(mirror.runner, None, new, ["env"])] == ["web 2"]


async def test_nothing_between_equal_heads(mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    assert await commits_between(mirror.runner, head, head) == ()


async def test_a_commit_that_is_gone_names_nobody(mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    assert await commits_between(mirror.runner, "1" * 40, head) == ()


async def test_a_path_is_never_a_pattern(origin: Origin, mirror: Mirror) -> None:
    old = (await mirror.fetch("main")).new
    origin.commit({"env/web.yaml": "image: web:2\n"})
    new = (await mirror.fetch("main")).new
    assert await commits_between(mirror.runner, old, new, [":(glob)**/*.yaml"]) == ()
    assert await commits_between(mirror.runner, old, new, ["env/*.yaml"]) == ()


async def test_blame_names_the_commit_that_set_a_line(origin: Origin, mirror: Mirror) -> None:
    one = origin.commit({"env/web.yaml": "a: 1\nb: 1\n"})
    two = origin.commit({"env/web.yaml": "a: 1\nb: 2\n"})
    head = (await mirror.fetch("main")).new
    assert await last_set(mirror.runner, head, "env/web.yaml", 1) == one
    assert await last_set(mirror.runner, head, "env/web.yaml", 2) == two
    assert await last_set(mirror.runner, head, "env/web.yaml", 9) is None
    assert await last_set(mirror.runner, head, "env/gone.yaml", 1) is None


async def test_one_commit_says_what_it_is(origin: Origin, mirror: Mirror) -> None:
    head = (await mirror.fetch("main")).new
    facts = await commit_facts(mirror.runner, head)
    assert (facts.oid, facts.subject, facts.files) == (origin.head(), "first", ("README.md", "env/web.yaml"))
    assert f"{facts.author_name} <{facts.author_email}>" == "Ann <ann@example.com>"
