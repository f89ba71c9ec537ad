"""A notifier that is spoken to only while we may write: telling people is a write like any other."""

from collections.abc import Callable

from reconciler.releases.announce.notice import Notifier, ReleaseMessage


class FencedNotifier:
    """Asks `permit` before each telling, with words for it; it raises when that must not be now."""

    def __init__(self, notifier: Notifier, permit: Callable[[str], None]) -> None:
        self._notifier = notifier
        self._permit = permit

    async def tell(self, message: ReleaseMessage, handle: str) -> str:
        self._permit(f"notice of {message.release}")
        return await self._notifier.tell(message, handle)
