"""The restore edit of forms that one scalar cannot express: flow lists, blocks, folded text, merge keys, any line end."""

import pytest

from reconciler.sources.documents import Parsed, replace_files
from reconciler.sources.edits import Caution, Direct, ProposedEdit, restore_edits
from reconciler.sources.model import WorkloadId
from reconciler.sources.templates import identity, workloads
from tests.kit.manifests import deployment, parsed

WEB = WorkloadId("Deployment", "shop", "web")
GOOD, BAD = "registry.example.com/web:1.0", "registry.example.com/web:1.1"
ENV = "          env:\n"


def restored(proven: str, rejected: str, tip: str | None = None) -> bytes:
    """The file after a restore that may be pushed directly, which then asks for the proven version."""
    outcome = restore_edits(parsed(web=proven), parsed(web=rejected), parsed(web=tip or rejected), WEB)
    assert isinstance(outcome, Direct), outcome
    return outcome.edit.files["web.yaml"]


def asks_for(source: Parsed) -> str:
    return identity(source, workloads(source)[WEB])


FORMS = {
    "a quoted template where a plain one is now": ("          args: ['{{ .Host }}:80']\n", "          args: [host:80]\n"),
    "a flow list that gained an item": (f"{ENV[:-1]} [{{name: A}}]\n", f"{ENV[:-1]} [{{name: A}}, {{name: B}}]\n"),
    "a flow list that lost an item": (f"{ENV[:-1]} [{{name: A}}, {{name: B}}] # two\n", f"{ENV[:-1]} [{{name: B}}]\n"),
    "block became flow": (
        f"{ENV}            # first\n            - name: A\n              value: x\n",
        f"{ENV[:-1]} [{{name: A, value: y}}]\n",
    ),
    "flow became block": (
        f"{ENV[:-1]} [{{name: A, value: x}}]\n",
        f"{ENV}            - name: A\n              value: y\n            - name: B\n",
    ),
    "comments between entries": (
        f"{ENV}            - name: A\n            # why B\n            - name: B\n",
        f"{ENV}            # why B\n            - name: B\n            - name: C\n",
    ),
    "folded text": (
        "          command:\n            - >-\n              one\n              two\n",
        "          command:\n            - three\n",
    ),
    "kept text": (
        f"{ENV}            - name: A\n              value: |+\n                x\n\n            - name: B\n",
        f"{ENV}            - name: A\n            - name: B\n",
    ),
    "a text over two lines": ("          command: ['a\n            b']\n", "          command: [c]\n"),
    "an empty list": ("          args: []\n", "          args: [x]\n"),
    "nothing": ("          args:\n", "          args: [x]\n"),
    "signs of four bytes": ("          args: ['\U0001f600 a', b]\n", "          args: ['\U0001f600 c', b]\n"),
    "a word that is no text": ("          args: ['on', '1e3', '0o7', '~']\n", "          args: [a, b, c, d]\n"),
    "an argument less": ("          args: [a, b]\n", "          args: [a]\n"),
    "the last argument of a block": ("          args:\n            - a\n            - b\n", "          args:\n            - a\n"),
    "two arguments more": ("          args:\n            - a\n", "          args:\n            - a\n            - b\n            - c\n"),
}


@pytest.mark.parametrize("ending", ["lf", "crlf", "bom", "no final line end"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_goes_back_directly(form: str, ending: str) -> None:
    def finished(text: str) -> str:
        shaped = {"crlf": text.replace("\n", "\r\n"), "bom": "\ufeff" + text, "no final line end": text.rstrip("\n")}
        return shaped.get(ending, text)

    good, bad = (finished(deployment(image=image, extra=extra) + "# end\n") for image, extra in zip((GOOD, BAD), FORMS[form], strict=True))
    after = restored(good, bad)
    assert asks_for(parsed(web=after.decode())) == asks_for(parsed(web=good))
    assert after.endswith(bad.encode()[-5:])
    assert (b"\n" in after.replace(b"\r\n", b"")) is (ending != "crlf")


def test_merge_keys_are_edited_where_their_values_stand() -> None:
    def merged(image: str) -> str:
        first = f"        - &base\n          name: web\n          image: {image}\n        - <<: *base\n          name: second\n"
        return deployment(image="x").replace("        - name: web\n          image: x\n", first)

    assert restored(merged(GOOD), merged(BAD)) == merged(GOOD).encode()


def test_what_a_person_wrote_around_it_stays_and_makes_it_a_proposal() -> None:
    good = deployment(extra=f"{ENV[:-1]} [{{name: A, value: x}}]\n")
    bad = deployment(extra=f"{ENV[:-1]} [{{name: A, value: x}}, {{name: B, value: y}}]\n")
    tip = bad.replace("value: x}", "value: z}")
    outcome = restore_edits(parsed(web=good), parsed(web=bad), parsed(web=tip), WEB)
    assert isinstance(outcome, ProposedEdit)
    after = replace_files(parsed(web=tip), outcome.edit.files)
    assert workloads(after)[WEB].pod_template["spec"]["containers"][0]["env"] == [{"name": "A", "value": "z"}]


def test_an_anchor_is_edited_once_where_all_its_places_move_together() -> None:
    def both(image: str) -> str:
        init = f"      initContainers:\n        - {{name: migrate, image: &image {image}}}\n      containers:"
        return deployment(image="*image").replace("      containers:", init)

    assert restored(both(GOOD), both(BAD)) == both(GOOD).encode()


def test_an_alias_makes_way_where_only_its_place_moves() -> None:
    def both(image: str) -> str:
        init = f"      initContainers:\n        - {{name: migrate, image: &image {BAD}}}\n      containers:"
        return deployment(image=image).replace("      containers:", init)

    assert restored(both(GOOD), both("*image")) == both(GOOD).encode()


LABELS, CONFIG_HEAD = "labels: {app: web, tier: front}\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop"


@pytest.mark.parametrize("reworded", ["template", "config", "neither"])
def test_a_piece_whose_words_stand_elsewhere_is_written_in_ours_and_makes_it_a_proposal(reworded: str) -> None:
    """The previous version said it by an alias, and its anchor is no longer on the branch."""
    anchor = {part: "&it " if part == reworded else "" for part in ("template", "config")}
    labels, mode = ("*it" if part == reworded else plain for part, plain in (("template", "{app: web, tier: front}"), ("config", "fast")))
    plain = deployment(extra="          envFrom: [{configMapRef: {name: web}}]\n")
    web = plain.replace("  namespace: shop\n", f"  namespace: shop\n  {LABELS}")
    good_web = web.replace("labels: {", f"labels: {anchor['template']}{{", 1).replace("      labels: {app: web}", f"      labels: {labels}")
    good_config = f"{CONFIG_HEAD}, labels: {{mode: {anchor['config']}fast}}}}\ndata: {{mode: {mode}}}\n"
    good = parsed(web=good_web, config=good_config)
    bad = parsed(web=web, config=CONFIG_HEAD + ", labels: {mode: fast}}\ndata: {}\n")
    outcome = restore_edits(good, bad, bad, WEB)
    if reworded == "neither":
        assert isinstance(outcome, Direct)
    else:
        assert isinstance(outcome, ProposedEdit) and outcome.caution is Caution.REWORDED
    assert asks_for(replace_files(bad, outcome.edit.files)) == asks_for(good)


IN_BRACKETS = (
    '{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"metadata": '
    '{"labels": {"app": "web"}}, "spec": {"containers": [{"name":"web","image":"%s"%s}]}}}}'
)
ADDED = ',"env":[{"name":"A"}]'


@pytest.mark.parametrize(("good", "bad"), [("", ADDED), (ADDED, "")])
def test_an_entry_comes_and_goes_in_a_file_that_is_one_line(good: str, bad: str) -> None:
    assert restored(IN_BRACKETS % (GOOD, good), IN_BRACKETS % (BAD, bad)) == (IN_BRACKETS % (GOOD, good)).encode()


def test_what_others_changed_within_the_same_brackets_stays() -> None:
    tip = IN_BRACKETS % (BAD, f'{ADDED},"tty":true')
    outcome = restore_edits(parsed(web=IN_BRACKETS % (GOOD, "")), parsed(web=IN_BRACKETS % (BAD, ADDED)), parsed(web=tip), WEB)
    assert isinstance(outcome, ProposedEdit)
    assert b'"tty": true' in outcome.edit.files["web.yaml"] and b"env" not in outcome.edit.files["web.yaml"]


def test_numbers_and_words_go_back_as_their_author_wrote_them() -> None:
    good = deployment(image=GOOD, pod="      hostNetwork: yes\n      volumes: [{name: v, secret: {secretName: s, defaultMode: 0644}}]\n")
    bad = good.replace(GOOD, BAD).replace("yes", "no").replace("0644", "0755")
    assert restored(good, bad) == good.encode()
