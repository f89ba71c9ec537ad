"""Notifiers are told what changed, once; one that is down costs nobody else anything."""

from msgspec.structs import replace

from reconciler.kernel.errors import Transient
from reconciler.releases.announce.apply_notices import Notices
from reconciler.releases.announce.notice import ReleaseMessage, Subscription
from reconciler.releases.announce.notice_content import notice_of
from reconciler.releases.model import ReleaseStatus, Restore, RestoreState, Told, Verdict
from tests.kit.releases import NOW, release


class Chat:
    """Keeps what it was told, with the handle that it was told by."""

    def __init__(self, *, down: bool = False) -> None:
        self.told: list[tuple[ReleaseMessage, str]] = []
        self.down = down

    async def tell(self, message: ReleaseMessage, handle: str) -> str:
        if self.down:
            raise Transient("502")
        self.told.append((message, handle))
        return handle or "thread-1"


FAILED = ReleaseStatus(
    verdict=Verdict.FAILED,
    reason="2 failed",
    decided_at=NOW,
    held=True,
    restore=Restore(state=RestoreState.PROPOSED, pull="https://git.example.com/1"),
)


async def test_news_is_told_once_and_later_news_takes_its_place() -> None:
    chat = Chat()
    notices = Notices({"chat": Subscription(chat)}, "")
    told, again = await notices.tell(release())
    assert (told["chat"].handle, again) == ("thread-1", False)
    known = release(status=ReleaseStatus(told=told))
    assert await notices.tell(known) == (told, False) and len(chat.told) == 1
    await notices.tell(release(status=replace(FAILED, told=told)))
    assert [handle for _, handle in chat.told] == ["", "thread-1"]


async def test_news_whose_record_failed_is_not_told_again_and_its_place_is_known() -> None:
    chat = Chat()
    notices = Notices({"chat": Subscription(chat)}, "")
    told, _ = await notices.tell(release())
    assert await notices.tell(release()) == (told, False) and len(chat.told) == 1
    later, _ = await notices.tell(release(status=FAILED))
    assert [handle for _, handle in chat.told] == ["", "thread-1"]
    assert await notices.tell(release(status=replace(FAILED, told=later))) == (later, False)
    await notices.tell(release(status=FAILED))  # on record once, it is the record that counts
    assert [handle for _, handle in chat.told] == ["", "thread-1", ""]


async def test_a_notifier_that_is_down_is_told_later_and_the_others_now() -> None:
    chat = Chat()
    told, again = await Notices({"down": Subscription(Chat(down=True)), "chat": Subscription(chat)}, "").tell(release())
    assert again and set(told) == {"chat"} and len(chat.told) == 1


async def test_a_notifier_is_told_of_its_own_environments_only() -> None:
    mine, others, everybody = Chat(), Chat(), Chat()
    told, again = await Notices(
        {
            "mine": Subscription(mine, frozenset({"demo", "staging"})),
            "others": Subscription(others, frozenset({"production"})),
            "everybody": Subscription(everybody),
        },
        "",
    ).tell(release())
    assert (set(told), again) == ({"mine", "everybody"}, False)
    assert (len(mine.told), len(others.told), len(everybody.told)) == (1, 0, 1)


async def test_a_baseline_is_no_news() -> None:
    chat = Chat()
    assert await Notices({"chat": Subscription(chat)}, "").tell(release(previous=None)) == ({}, False)
    assert chat.told == []


def test_a_message_says_what_happened_and_what_a_person_can_do() -> None:
    said = notice_of(release(status=FAILED))
    assert (said.verdict, said.needs_person, said.key) == ("failed", True, "demo/shop/shop/web/web-bad/1")
    assert said.reason == "2 failed. The way back in Git: proposed (https://git.example.com/1)"
    assert said.next_steps[0].command == "reconciler hold lift web-bad -n shop"
    assert [link.url for link in said.links] == ["https://git.example.com/1"]


async def test_a_message_leads_to_the_page_of_its_release() -> None:
    chat = Chat()
    await Notices({"chat": Subscription(chat)}, "https://console.example.com").tell(release())
    assert [(link.text, link.url) for link in chat.told[0][0].links] == [("details", "https://console.example.com/releases/shop/web-bad")]


def test_what_a_notifier_was_told_is_no_news_for_the_others() -> None:
    assert notice_of(release(status=replace(FAILED, told={"x": Told(said="1")}))) == notice_of(release(status=FAILED))
