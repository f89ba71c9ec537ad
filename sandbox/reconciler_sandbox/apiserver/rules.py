"""The small rules that kinds are made of: each looks at one field and says what is wrong with it, in a real server's words."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

import orjson

from reconciler_sandbox.apiserver import names, qualified
from reconciler_sandbox.apiserver.causes import Cause

Manifest = dict[str, Any]
MAX_PORT = 65_535
MAX_PORT_NAME = 15
MAX_LABEL = 63
NOT_NEGATIVE = "must be greater than or equal to 0"


def invalid(path: str, value: Any, why: str) -> Cause:
    """A value that may not be."""
    return Cause(path, f"Invalid value: {shown(value)}: {why}")


def shown(value: Any) -> str:
    """A value in a message."""
    return orjson.dumps(value).decode()


def required(holder: Any, path: str, *fields: str) -> list[Cause]:
    """Fields that are absent or empty."""
    absent = [name for name in fields if not isinstance(holder, dict) or holder.get(name) in (None, "", [], {})]
    return [missing(f"{path}.{name}" if path else name) for name in absent]


def missing(path: str, why: str = "") -> Cause:
    """A field that must be there."""
    return Cause(path, f"Required value: {why}" if why else "Required value", "Required")


def forbidden(path: str, why: str) -> Cause:
    """A field that may not be there."""
    return Cause(path, f"Forbidden: {why}", "Forbidden")


def duplicate(path: str, value: Any) -> Cause:
    """A value that another one has already."""
    return Cause(path, f"Duplicate value: {shown(value)}", "Duplicate")


def choice(holder: Manifest, path: str, field: str, allowed: Iterable[str]) -> list[Cause]:
    """A field that has a few values only; an absent one is not looked at."""
    value = holder.get(field)
    if value is None or value in (known := list(allowed)):
        return []
    listed = ", ".join(f'"{one}"' for one in known)
    return [Cause(f"{path}.{field}" if path else field, f"Unsupported value: {shown(value)}: supported values: {listed}", "NotSupported")]


def not_negative(holder: Manifest, path: str, *fields: str) -> list[Cause]:
    """Numbers that count something."""
    values = [(name, holder.get(name)) for name in fields]
    return [invalid(f"{path}.{name}", value, NOT_NEGATIVE) for name, value in values if isinstance(value, int) and value < 0]


def is_address(value: Any) -> bool:
    """Whether this is an IP address, of either version."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def port(value: Any, path: str) -> list[Cause]:
    """The number of a port."""
    if isinstance(value, int) and 0 < value <= MAX_PORT:
        return []
    return [invalid(path, value, f"must be between 1 and {MAX_PORT}, inclusive")]


def port_or_name(value: Any, path: str) -> list[Cause]:
    """The number of a port or its name."""
    return port_name(value, path) if isinstance(value, str) else port(value or 0, path)


def port_name(value: str, path: str) -> list[Cause]:
    """The name of a port."""
    rules = (
        (len(value) > MAX_PORT_NAME, f"must be no more than {MAX_PORT_NAME} characters"),
        (not re.fullmatch(r"[-a-z0-9]+", value), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
        (not re.search(r"[a-z]", value), "must contain at least one letter or number (a-z, 0-9)"),
        ("--" in value, "must not contain consecutive hyphens"),
        (value.startswith("-") or value.endswith("-"), "must not begin or end with a hyphen"),
    )
    return [invalid(path, value, why) for broken, why in rules if broken]


def label_name(value: str, path: str) -> list[Cause]:
    """A name of at most 63 characters without dots."""
    complaint = names.LABEL.complaint(value)
    causes = [Cause(path, complaint)] if complaint else []
    if len(value) > MAX_LABEL:
        causes.append(invalid(path, value, f"must be no more than {MAX_LABEL} characters"))
    return causes


def subdomain(value: Any, path: str) -> list[Cause]:
    """A name with dots; an absent one is not looked at."""
    complaint = names.SUBDOMAIN.complaint(str(value)) if value else ""
    return [Cause(path, complaint)] if complaint else []


def labels(value: Manifest | None, path: str) -> list[Cause]:
    """Labels wherever they are."""
    causes: list[Cause] = []
    for key, inner in (value or {}).items():
        causes += [invalid(path, key, why) for why in qualified.name_complaints(key)]
        causes += [invalid(path, inner, why) for why in qualified.value_complaints(str(inner))]
    return causes


def label_selector(selector: Manifest, path: str) -> list[Cause]:
    """A LabelSelector object."""
    causes = labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        where, operator, values = f"{path}.matchExpressions[{index}]", one.get("operator"), one.get("values")
        if operator in ("In", "NotIn"):
            causes += [] if values else [missing(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")]
        elif operator in ("Exists", "DoesNotExist"):
            causes += [forbidden(f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")] if values else []
        else:
            causes.append(invalid(f"{where}.operator", operator, "not a valid selector operator"))
        causes += [invalid(f"{where}.key", one.get("key"), why) for why in qualified.name_complaints(str(one.get("key") or ""))]
    return causes


def unchanged(new: Manifest, old: Manifest | None, *fields: str) -> list[Cause]:
    """Fields of the spec that never change."""
    if old is None:
        return []
    before, after = old.get("spec") or {}, new.get("spec") or {}
    return [invalid(f"spec.{name}", after.get(name), "field is immutable") for name in fields if after.get(name) != before.get(name)]
