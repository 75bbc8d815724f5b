"""The page of a twin's faults: each with what it does, the fields that shape it, and the conditions of a plan.

Reads `twin.faults`. Must never know a fault of its own.
"""

import inspect
from typing import Literal, get_args, get_origin

import msgspec

from surefoot.cli.tables import table
from surefoot.config.reference import HEADER
from surefoot.twin.faults import CONNECTION_KINDS, KINDS, STATUSES, STREAM_ONLY, Fault, FaultPlan, Rule

_STATUS = "status:"
_STATUSES = ", ".join(map(str, STATUSES))


def faults_in_short() -> str:
    """All names in one sentence, the statuses as one."""
    names = [name for name in KINDS if not name.startswith(_STATUS)]
    return f"{', '.join(names)}, or {_STATUS}N with N of {_STATUSES}"


def faults_page() -> str:
    """Every fault, and the fields of a fault, a rule and a plan with their defaults."""
    rows = [(f"`{name}`", KINDS[name], _strikes(name)) for name in KINDS if not name.startswith(_STATUS)]
    rows.append((f"`{_STATUS}N`", f"HTTP status N with a provider's body; N is {_STATUSES}", _strikes(_STATUS)))
    parts = [
        f"""{HEADER}
# Faults of a twin

What `surefoot twin` can be told to do wrong, in the field `kind` of a fault. How a plan is written and given is in
[twin.md](../twin.md).

{table(("kind", "what happens", "strikes"), rows)}
"""
    ]
    for title, struct in (("A fault", Fault), ("A rule", Rule), ("A plan", FaultPlan)):
        parts.append(f"## {title}\n\n{inspect.cleandoc(struct.__doc__ or '')}\n\n{_fields(struct)}\n")
    return "\n".join(parts)


def _strikes(name: str) -> str:
    if name in CONNECTION_KINDS:
        return "connections"
    return "streams" if name in STREAM_ONLY else "streams and plain answers"


def _fields(struct: type[msgspec.Struct]) -> str:
    fields = msgspec.structs.fields(struct)
    return table(
        ("field", "default", "one of"), [(f"`{one.name}`", _default(one.default), _choices(one.type)) for one in fields]
    )


def _choices(form: object) -> str:
    """The values of a field that takes only some."""
    return ", ".join(f"`{one}`" for one in get_args(form)) if get_origin(form) is Literal else ""


def _default(default: object) -> str:
    if default is msgspec.NODEFAULT:
        return "required"
    return f"`{msgspec.json.encode(default).decode()}`"
