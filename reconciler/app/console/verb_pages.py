"""The pages that ask before a verb is pressed, and what becomes of the answer: they work without a script."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.app.console.detail import Detail
from reconciler.app.console.door import ConsoleDoor
from reconciler.app.console.pages import ConsolePage, Pages
from reconciler.app.console.pressing import PressEnd, Presser, PressOrder, PressOutcome, PressPlace
from reconciler.app.console.rendering import PressOffer, address
from reconciler.app.console.sealing import Seal
from reconciler.app.console.verbs import VERBS, VerbScene, VerbSubject, offered, stance_of
from reconciler.app.console.visitors import Visitor
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import Terminal, Transient
from reconciler.kernel.frozen import frozen_in
from reconciler.kernel.identity import name_of
from reconciler.kernel.text import clean
from reconciler.kube.client import Client
from reconciler.kube.errors import ApiError
from reconciler.views.freeze import WITHHELD
from reconciler.views.tree import Family, facts

PRESS = "press"
GOOD_FOR = 900.0
"""Seconds for which a form may be answered: numbers of a quarter of an hour ago are no numbers of this moment."""
WHY = 300
METRICS = 6
Seen = tuple[tuple[str, str], ...]
"""What stands on the screen of who is asked: names and values."""


@dataclass(frozen=True, slots=True)
class VerbAnswer:
    """A page, or the place where the browser goes on."""

    page: ConsolePage | None = None
    location: str = ""


def press_place(parts: Sequence[str], own: str) -> PressPlace | None:
    """What an address wants to press: `/rollouts/shop/web/press/abort`, `/freeze/press/freeze`."""
    match tuple(parts):
        case (VerbSubject.FREEZE.value, "press", name):
            verb = VERBS.get((VerbSubject.FREEZE, name))
            return PressPlace(verb, "", own) if verb is not None else None
        case (VerbSubject.ROLLOUT.value | VerbSubject.RELEASE.value as subject, namespace, object_name, "press", name):
            verb = VERBS.get((VerbSubject(subject), name))
            return PressPlace(verb, namespace, object_name) if verb is not None else None
    return None


def offers(detail: Detail, visitor: Visitor, now: datetime) -> tuple[PressOffer, ...]:
    """What a visitor may press on the page of a workload or release."""
    found: list[PressPlace] = []
    if detail.family is not None:
        scene = VerbScene(subject=detail.family.rollout, release=detail.newest, replica_sets=detail.family.replica_sets, now=now)
        found += [PressPlace(verb, detail.namespace, detail.name) for verb in offered(VerbSubject.ROLLOUT, scene)]
    if detail.release is not None:
        scene = VerbScene(subject={"kind": "Release"}, release=detail.release, releases=(detail.release,), now=now)
        found += [PressPlace(verb, detail.namespace, detail.release.name) for verb in offered(VerbSubject.RELEASE, scene)]
    return tuple(_offer(one) for one in found if visitor.may(one.verb.role, one.namespace))


def _offer(place: PressPlace) -> PressOffer:
    return PressOffer(place.verb.label, place.verb.does, path_of(place), place.verb.grave)


class VerbPages:
    """Asks, and does what was answered."""

    def __init__(self, pages: Pages, presser: Presser, seal: Seal, clock: Clock) -> None:
        self._pages = pages
        self._presser = presser
        self._seal = seal
        self._clock = clock

    async def ask(self, place: PressPlace, visitor: Visitor) -> ConsolePage:
        """The page that shows the numbers of this moment, with the form."""
        return await self._asked(place, visitor, PressOutcome(PressEnd.DONE), {})

    async def answer(self, place: PressPlace, visitor: Visitor, form: Any, door: ConsoleDoor) -> VerbAnswer:
        """What a form asked for is done, or it is said why not."""
        told = self._seal.opened(PRESS, str(form.get("token", "")))
        if told is None or told.get("session") != visitor.session or told.get("path") != path_of(place) or not visitor.session:
            words = "this did not come from a page of yours that was shown within the last quarter of an hour: nothing was done"
            return VerbAnswer(await self._asked(place, visitor, PressOutcome(PressEnd.REFUSED, words), {}))
        order = PressOrder(
            by=visitor.name,
            stance=str(told["stance"]),
            seen=str(told["seen"]),
            reason=" ".join(clean(str(form.get("why", ""))).split())[:WHY],
            shown_at=datetime.fromtimestamp(float(told["iat"]), UTC),
        )
        try:
            self._granted(place, visitor)
            acting = await door.actor(visitor, place.verb, place.namespace)
            asked = await self._pages.asked_of(place.namespace, place.name)
            outcome = await self._pressed(replace(place, asked=asked), order, acting)
        except (Terminal, ApiError) as error:
            outcome = PressOutcome(PressEnd.REFUSED, str(error))
        except Transient as error:
            outcome = PressOutcome(PressEnd.REFUSED, f"nothing was done: {error}")
        self._pages.forget()
        if outcome.end is PressEnd.DONE and not outcome.notes:
            return VerbAnswer(location=back_of(place))
        return VerbAnswer(await self._asked(place, visitor, outcome, told))

    async def _pressed(self, place: PressPlace, order: PressOrder, acting: Client) -> PressOutcome:
        try:
            return await self._presser.press(place, order, acting)
        except Transient as error:
            return PressOutcome(PressEnd.UNKNOWN, f"{error}; look at it as soon as the server answers, and press again if it was not done")

    def _granted(self, place: PressPlace, visitor: Visitor) -> None:
        """Raises Terminal when the role does not suffice."""
        if not visitor.may(place.verb.role, place.namespace):
            raise Terminal(missing_role(place, visitor))

    async def _asked(self, place: PressPlace, visitor: Visitor, outcome: PressOutcome, told: Any) -> ConsolePage:
        words, scene, status = outcome.words, None, 200
        if not visitor.may(place.verb.role, place.namespace):
            words, status = words or missing_role(place, visitor), 403
        else:
            try:
                scene = await self._presser.scene(place, visitor.name)
            except (Transient, ApiError, Terminal) as error:
                words, status = words or str(error), 503
        seen = await self._seen(place, scene) if scene is not None else ()
        possible = scene is not None and place.verb.offered(scene)
        status = {PressEnd.CHANGED: 409, PressEnd.REFUSED: 403, PressEnd.UNKNOWN: 503, PressEnd.GONE: 404}.get(outcome.end, status)
        if scene is None and status == 200:
            words, status = f"{place.namespace}/{place.name} is not there", 404
        shown = {
            "verb": place.verb,
            "place": place,
            "seen": seen,
            "before": str(told.get("seen", "")) if told else "",
            "outcome": outcome,
            "words": words,
            "action": path_of(place),
            "back": back_of(place),
            "token": self._token(place, visitor, scene, seen) if scene is not None and possible else "",
        }
        document = {"verb": place.verb.name, "does": place.verb.does, "seen": dict(seen), "problem": words}
        title = f"{place.verb.label} {place.name if place.namespace else 'everything'}"
        return ConsolePage(
            template="press.html.j2", title=title, path=path_of(place), document=document, shown=shown, status=status, still=True
        )

    def _token(self, place: PressPlace, visitor: Visitor, scene: VerbScene, seen: Seen) -> str:
        told = "; ".join(f"{name}: {value}" for name, value in seen)[:1000]
        content = {"session": visitor.session, "path": path_of(place), "stance": stance_of(place.verb, scene), "seen": told}
        return self._seal.closed(PRESS, content, GOOD_FOR)

    async def _seen(self, place: PressPlace, scene: VerbScene) -> Seen:
        match place.verb.subject:
            case VerbSubject.FREEZE:
                frozen = ", ".join(f"{WITHHELD[part.scope]} (by {part.by or 'hand'})" for part in frozen_in(scene.subject))
                return (("Namespace", name_of(scene.subject)), ("Frozen", frozen or "nothing"))
            case VerbSubject.RELEASE:
                return seen_of_release(scene)
        page = await self._pages.rollout(place.namespace, place.name)
        return (*seen_of_rollout(scene), *_measured(page.shown.get("detail") if page is not None else None))


def seen_of_rollout(scene: VerbScene) -> Seen:
    """Where a Rollout stands, in numbers."""
    known = facts(Family(scene.subject, scene.replica_sets, (), ()))
    replicas = known["replicas"]
    rows = [
        ("Images", ", ".join(str(image) for image in known["images"])),
        ("Phase", " ".join(filter(None, (str(known["phase"]), str(known["message"]))))),
        ("Step", step_words(str(known["step"]))),
        ("Weight", f"{known['actualWeight']} % in force, {known['setWeight']} % asked for" if known["strategy"] == "Canary" else ""),
        ("Pods", f"{replicas['ready']} ready of {replicas['desired']}, {replicas['updated']} of the new version"),
        ("Release", scene.release.name if scene.release is not None else ""),
    ]
    return tuple((name, value) for name, value in rows if value)


def step_words(step: str) -> str:
    """`5 of 7` for `4/7`, as the page of the workload counts; the command line says how many are done, as Argo does."""
    done, _, most = step.partition("/")
    if not (done.isdigit() and most.isdigit()):
        return step
    return f"{int(done) + 1} of {most}" if int(done) < int(most) else f"all {most} done"


def seen_of_release(scene: VerbScene) -> Seen:
    """How a Release stands."""
    release = scene.release
    assert release is not None, "the scene of a Release has one"
    status = release.status
    rows = [
        ("Images", ", ".join(release.spec.images.values())),
        ("Commit", " ".join(filter(None, (release.spec.commit.sha[:12], release.spec.commit.subject)))),
        ("Verdict", str(status.verdict or "none yet")),
        ("Reason", status.reason),
        ("Held", "yes" if status.held else "no"),
        ("Kept until", f"{status.keep_until:%Y-%m-%d %H:%M:%S} UTC" if status.keep_until else ""),
    ]
    return tuple((name, value) for name, value in rows if value)


def _measured(detail: Detail | None) -> Seen:
    series = detail.series if detail is not None else ()
    return tuple((one.metric, f"{one.count} measured, {one.failed} failed, {one.phase or 'running'}") for one, _ in series[:METRICS])


def missing_role(place: PressPlace, visitor: Visitor) -> str:
    """Why a visitor may not press, and what would let them."""
    where = f"in namespace {place.namespace}" if place.namespace else "in all namespaces"
    role = place.verb.role.name.lower()
    if not visitor.session:
        return f"you are not logged in: {place.verb.name} needs the role {role} {where}"
    return f"{visitor.name}: {place.verb.name} needs the role {role} {where}, and you have {visitor.role_in(place.namespace).name.lower()}"


def path_of(place: PressPlace) -> str:
    """Where a verb is asked for."""
    if place.verb.subject is VerbSubject.FREEZE:
        return address(place.verb.subject, "press", place.verb.name)
    return address(place.verb.subject, place.namespace, place.name, "press", place.verb.name)


def back_of(place: PressPlace) -> str:
    """Where a browser goes afterwards."""
    return "/" if place.verb.subject is VerbSubject.FREEZE else address(place.verb.subject, place.namespace, place.name)
