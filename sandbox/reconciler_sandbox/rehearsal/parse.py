"""Reads a story from YAML, strictly: every error names file, line and field, before anything is started (docs/stories.md)."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from reconciler.app.settings.reading import line_of
from reconciler.kernel.errors import Terminal
from reconciler.kernel.strict import FieldError, StrictFields
from reconciler.kernel.unusable import reason_of
from reconciler_sandbox.node.behaviour import Behaviour
from reconciler_sandbox.rehearsal.parse_expectations import expectations
from reconciler_sandbox.rehearsal.parse_fields import (
    each_named,
    mapping,
    nested,
    object_name,
    only_one,
    optional_seconds,
    optional_whole,
    own_path,
    rate,
    seconds,
)
from reconciler_sandbox.rehearsal.story import (
    ANYBODY,
    Action,
    BehaviourChange,
    DaemonOrder,
    Edit,
    Expect,
    FaultOrder,
    Flow,
    ObjectPatch,
    PullRequest,
    Push,
    Step,
    Story,
    Together,
    TrafficChange,
    Verb,
)

SYSTEMS = ("provider", "forge", "git", "api")
ORDERS = ("start", "stop", "kill", "restart")
PROGRAMS = ("reconciler", "kubectl")
LIMIT = 1 << 20


def load_story(path: Path, lane: str = "") -> Story:
    """The story in a file, played in the lane of that name (default: the file's). Raises Terminal: file, line, field and what is wrong."""
    try:
        if path.stat().st_size > LIMIT:
            raise Terminal(f"{path}: larger than 1 MiB: this is not a story")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Terminal(f"{path}: cannot be read: {reason_of(error)}; name a story that can") from error
    return parse_story(text, str(path), lane or path.stem)


def parse_story(text: str, name: str, lane: str) -> Story:
    """The story in a text; `name` is what messages call it, `lane` how the timeline does."""
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise Terminal(f"{name}{line}: not YAML: {getattr(error, 'problem', None) or error}") from error
    _refuse_twins(node, name)
    try:
        return _StoryReader(name, node).story(StrictFields(document), lane)
    except FieldError as error:
        raise Terminal(f"{name}:{line_of(node, error.path)}: {error}") from error


def _refuse_twins(node: yaml.Node | None, name: str) -> None:
    """YAML readers keep the last of two equal keys; a story means both."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise Terminal(f"{name}:{key.start_mark.line + 1}: {key.value}: is written twice")
            seen.add(key.value)
            _refuse_twins(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twins(item, name)


class _StoryReader:
    """One story being read; knows the traffic names so far, and the lines."""

    def __init__(self, name: str, node: yaml.Node | None) -> None:
        self._name = name
        self._node = node
        self._flows: set[str] = set()

    def story(self, fields: StrictFields, lane: str) -> Story:
        title, say = fields.text("title"), fields.text("say", "")
        images = each_named(fields, "images", _behaviour)
        traffic = each_named(fields, "traffic", _flow)
        self._flows = set(traffic)
        steps = self._steps(fields, "steps")
        fields.done()
        if not steps:
            raise FieldError("steps", "a story needs at least one step")
        return Story(lane=lane, title=title, say=say, images=images, traffic=traffic, steps=steps)

    def _steps(self, fields: StrictFields, name: str) -> tuple[Step, ...]:
        return fields.each(name, self._step)

    def _step(self, fields: StrictFields) -> Step:
        readers: Mapping[str, Callable[[StrictFields, str], Action]] = {
            "push": lambda f, n: _push(nested(f, n)),
            "patch": lambda f, n: _patch(nested(f, n)),
            "verb": _verb,
            "behaviour": lambda f, n: BehaviourChange(each_named(f, n, _behaviour)),
            "traffic": self._traffic,
            "fault": lambda f, n: _fault(nested(f, n)),
            "daemon": lambda f, n: DaemonOrder(f.choice(n, ORDERS)),
            "expect": lambda f, n: Expect(expectations(f, n, self._flows)),
            "together": self._together,
        }
        name, say = fields.text("name", ""), fields.text("say", "")
        kind = only_one(fields, tuple(readers), "what the step does")
        action = readers[kind](fields, kind)
        fields.done()
        return Step(action=action, name=name, say=say, place=f"{self._name}:{line_of(self._node, own_path(fields))}")

    def _traffic(self, fields: StrictFields, name: str) -> Action:
        flows = each_named(fields, name, _flow)
        self._flows |= set(flows)
        return TrafficChange(flows)

    def _together(self, fields: StrictFields, name: str) -> Action:
        lanes = mapping(fields, name)
        inner = StrictFields(lanes, fields.path(name))
        return Together({lane: self._steps(inner, lane) for lane in lanes})


def _push(fields: StrictFields) -> Push:
    push = Push(
        message=fields.text("message"),
        edits=fields.each("files", _edit),
        author=fields.text("author", ANYBODY),
        branch=fields.text("branch", "main"),
        pull=fields.inner("pull", _pull),
    )
    fields.done()
    if not push.edits:
        raise FieldError(fields.path("files"), "a push changes at least one file")
    if push.pull and push.branch == "main":
        raise FieldError(fields.path("branch"), "a pull request needs a branch of its own, not main")
    return push


def _edit(fields: StrictFields) -> Edit:
    edit = Edit(
        file=fields.text("file"),
        replace={old: _new_text(fields, old, new) for old, new in mapping(fields, "replace").items()},
        content=fields.text("content", "") if fields.has("content") else None,
        remove=fields.flag("remove", False),
    )
    fields.done()
    if sum((bool(edit.replace), edit.content is not None, edit.remove)) != 1:
        raise FieldError(fields.path("file"), "say exactly one of replace, content and remove")
    return edit


def _new_text(fields: StrictFields, old: str, new: Any) -> str:
    if not isinstance(new, str):
        raise FieldError(fields.path("replace"), f"the replacement of {old!r} is no text: put it in quotes")
    return new


def _pull(fields: StrictFields) -> PullRequest:
    pull = PullRequest(fields.text("title"), fields.flag("merge", True))
    fields.done()
    return pull


def _patch(fields: StrictFields) -> ObjectPatch:
    patch = ObjectPatch(object_name(fields, "object"), fields.raw("body"), fields.choice("style", ("merge", "json", "strategic"), "merge"))
    fields.done()
    if not isinstance(patch.body, list if patch.style == "json" else dict):
        raise FieldError(fields.path("body"), "is required: a list of operations for style json, else a mapping")
    return patch


def _verb(fields: StrictFields, name: str) -> Verb:
    words = shlex.split(fields.text(name))
    if len(words) < 2 or words[0] not in PROGRAMS:
        raise FieldError(fields.path(name), "write a command line that begins with reconciler or kubectl")
    return Verb(tuple(words))


def _behaviour(fields: StrictFields) -> Behaviour:
    behaviour = Behaviour(
        version=fields.text("version"),
        error_rate=rate(fields, "errorRate"),
        latency=seconds(fields, "latency", "0s"),
        ready_after=seconds(fields, "readyAfter", "0s"),
        crash=fields.flag("crash", False),
        hang=fields.flag("hang", False),
        grpc_error=fields.flag("grpcError", False),
        error_rate_by_path=_rates(fields, "errorRateByPath"),
        errors_after_requests=optional_whole(fields, "errorsAfterRequests"),
        error_status=fields.whole("errorStatus", 500, least=400),
        exits=optional_whole(fields, "exits"),
        digest=fields.text("digest", ""),
    )
    fields.done()
    return behaviour


def _rates(fields: StrictFields, name: str) -> Mapping[str, float]:
    paths = mapping(fields, name)
    inner = StrictFields(paths, fields.path(name))
    return {path: rate(inner, path) for path in paths}


def _flow(fields: StrictFields) -> Flow:
    headers = mapping(fields, "headers")
    flow = Flow(
        host=fields.text("host"),
        path=fields.text("path", "/"),
        port=fields.whole("port", 80, least=1),
        headers={name: str(value) for name, value in headers.items()},
        rate=rate(fields, "rate", most=1000, default=10.0),
    )
    fields.done()
    return flow


def _fault(fields: StrictFields) -> FaultOrder:
    fault = FaultOrder(
        target=fields.choice("system", SYSTEMS),
        status=fields.whole("status", 0),
        delay=seconds(fields, "delay", "0s"),
        cut=fields.flag("cut", False),
        after=fields.flag("after", False),
        method=fields.text("method", "*"),
        path=fields.text("path", "*"),
        times=optional_whole(fields, "times", least=1),
        lasting=optional_seconds(fields, "for"),
    )
    fields.done()
    if sum((bool(fault.status), bool(fault.delay), fault.cut)) != 1:
        raise FieldError(fields.path("system"), "say exactly one of status, delay and cut")
    return fault
