"""YAML nodes as JSON values, typed as `kubectl` types them (the YAML 1.1 rules of sigs.k8s.io/yaml).

Two deliberate differences: a repeated key is an error instead of "the last one wins", and an `image` is always its raw text,
so that `1.10` never becomes `1.1`.
"""

import math
import re
from typing import Any

from reconciler.yamledit.nodes import FieldPath, MappingNode, Node, NotYaml, Placed, ScalarNode, SequenceNode, key_text, unaliased

WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
TAG = "tag:yaml.org,2002:"
KNOWN_TAGS = frozenset(TAG + name for name in ("str", "bool", "int", "float", "null", "timestamp", "map", "seq", "binary"))
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# YAML 1.2 readers take more words for numbers than 1.1 readers do: a text must be quoted if either would.
NUMBER_SOMEWHERE = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+(:[0-9]+)+")
LONGEST_NUMBER = 300
DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*")

Scalar = str | int | float | bool | None


def value_of(placed: Placed) -> Any:
    """The JSON value of a node. Raises NotYaml with the line for repeated keys, unknown tags and numbers JSON cannot hold."""
    node = unaliased(placed)
    if isinstance(node, ScalarNode):
        return scalar_value(node)
    if isinstance(node, SequenceNode):
        return [value_of(item) for item in node.items]
    return _mapping(node)


def placed_at(root: Node, path: FieldPath) -> Placed | None:
    """What stands at the path of a value, merge keys looked through; None where nothing does."""
    placed: Placed | None = root
    for part in path:
        holder = unaliased(placed) if placed is not None else None
        if isinstance(holder, MappingNode):
            placed = _written_under(holder, part)
        else:
            items = holder.items if isinstance(holder, SequenceNode) else ()
            placed = items[part] if isinstance(part, int) and part < len(items) else None
    return placed


def _written_under(mapping: MappingNode, name: str | int) -> Placed | None:
    own = [value for key, value in mapping.entries if not is_merge(unaliased(key)) and key_name(key) == name]
    if own:
        return own[-1]
    for key, value in mapping.entries:
        lent = unaliased(value)
        for base in (lent.items if isinstance(lent, SequenceNode) else (lent,)) if is_merge(unaliased(key)) else ():
            holder = unaliased(base)
            found = _written_under(holder, name) if isinstance(holder, MappingNode) else None
            if found is not None:
                return found
    return None


def scalar_value(node: ScalarNode) -> Scalar:
    """The value of one scalar: quoted ones are text, plain ones what YAML 1.1 reads."""
    if node.tag is None:
        return node.text if node.style else _plain(node.text, node.line)
    if node.tag in ("!", TAG + "str", TAG + "binary"):
        return node.text
    if node.tag not in KNOWN_TAGS:
        raise NotYaml(node.line, f"the tag {node.tag} means nothing to Kubernetes", "remove the tag")
    value = _plain(node.text, node.line)
    if node.tag == TAG + "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def reads_as_text(text: str) -> bool:
    """True when every YAML reader takes this plain text for a string."""
    if text in WORDS or NUMBER_SOMEWHERE.fullmatch(text) or NOT_FINITE.fullmatch(text) or DATE.fullmatch(text):
        return False
    return not INTEGER.fullmatch(text.replace("_", ""))


def _plain(text: str, line: int) -> Scalar:
    if text in WORDS:
        return WORDS[text]
    if NOT_FINITE.fullmatch(text):
        raise NotYaml(line, f"{text} has no place in JSON", "quote it if it is a text")
    digits = text.replace("_", "")
    if text[:1] not in "+-.0123456789":
        return text
    if INTEGER.fullmatch(digits):
        return _integer(digits, line)
    if FLOAT.fullmatch(digits):
        return _float(digits, line)
    return text


def _integer(digits: str, line: int) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise NotYaml(line, "a number of more than 300 digits", "quote it if it is a text")
    sign = -1 if digits.startswith("-") else 1
    bare = digits.lstrip("+-").lower()
    if len(bare) > 1 and bare[0] == "0" and bare[1] not in "xbo":
        return sign * int(bare, 8)
    return sign * int(bare, 0)


def _float(digits: str, line: int) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotYaml(line, f"{digits[:40]} is too large a number", "quote it if it is a text")
    return value


def _mapping(node: MappingNode) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for placed_key, placed in node.entries:
        key, child = unaliased(placed_key), unaliased(placed)
        name = key_name(key)
        if is_merge(key):
            merged = {**_merge(child), **merged}
        elif name in own:
            raise NotYaml(key.line, f"the key {name} is written twice", "keep one of the two")
        else:
            own[name] = _image(child) if name == "image" else value_of(child)
    return {**merged, **own}


def key_name(placed: Placed) -> str:
    """The key of a mapping as JSON has it: `yes` is "true"."""
    key = unaliased(placed)
    text = key_text(key)
    value = scalar_value(key) if isinstance(key, ScalarNode) else text
    if isinstance(value, bool):
        return "true" if value else "false"
    return text if isinstance(value, str) or value is None else str(value)


def is_merge(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.text == "<<" and not key.style and key.tag in (None, TAG + "merge")


def _image(node: Node) -> Any:
    value = value_of(node)
    return node.text if isinstance(node, ScalarNode) and value is not None else value


def _merge(node: Node) -> dict[str, Any]:
    if isinstance(node, MappingNode):
        return _mapping(node)
    items = [unaliased(item) for item in node.items] if isinstance(node, SequenceNode) else [node]
    if all(isinstance(item, MappingNode) for item in items):
        merged: dict[str, Any] = {}
        for item in reversed(items):
            merged.update(_merge(item))
        return merged
    raise NotYaml(node.line, "a merge key takes a mapping or a list of mappings", "write the keys out")
