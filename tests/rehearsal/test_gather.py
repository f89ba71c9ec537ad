"""The report is gathered from what is on the stage."""

from pathlib import Path

from reconciler_sandbox.rehearsal.gather import Told, gather
from reconciler_sandbox.rehearsal.story import Edit, PullRequest, Push

from tests.kit.rehearsal import FILE, entry, stage

RESTORE = "Restore web in demo: failed\n\nsmoke failed.\n\nReconciler-Release: shop/web-1\n"


async def test_log_pulls_and_restores_are_in_the_report(tmp_path: Path) -> None:
    async with stage(tmp_path) as built:
        edit = Edit(file=FILE, replace={":1.0": ":1.1"})
        await built.people.push(Push(message="web 1.1", edits=(edit,), branch="b", pull=PullRequest("web 1.1")))
        await built.people.push(Push(message=RESTORE, edits=(Edit(file=FILE, replace={":1.1": ":1.0"}),)))
        report = await gather(built, Told("T", (("real", "git"),), [entry("a")]))
    assert [line.split(" ", 1)[1] for line in report.log] == [
        "Restore web in demo: failed",
        "Merge pull request #1 from shop/b",
        "web 1.1",
        "Initial commit",
    ]
    assert [(pull.number, pull.title, pull.comments) for pull in report.pulls] == [(1, "web 1.1", ())]
    (restore,) = report.restores
    assert "smoke failed." in restore and "-image: registry.example.com/shop/web:1.1" in restore
    assert report.title == "T" and report.seconds > 0
