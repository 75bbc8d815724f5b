"""Whether what others call a provider or a model is what the configuration calls a target's.

Incident lists and logs have names of their own. A provider runs a target if it is the target's provider by name, or one
of the failure domains that the target declares: so `azure-openai` is not `openai`, unless the target says
`domains = { cloud = "openai" }`.

Must never: take two names for one because they look alike.
"""

import re

from surefoot.domain.target import Target

_DAY = re.compile(r"\b20\d\d-?[01]\d-?[0-3]\d\b|\b[01]\d[0-3]\d\b")
"""The day in a model's name: `2024-05-13`, `20241022`, `0613`."""
_VERSION = re.compile(r"(?<=[a-z -]\d)-(?=\d(-|$))")
"""The dash of a version whose dots could not be written: `claude-3-5-sonnet`."""
_VARIANTS = frozenset(
    {"flash", "instant", "large", "lite", "max", "medium", "micro", "mini", "nano", "pro", "small", "thinking", "turbo"}
)
"""Words that make another model of a name: `gpt-5` is not `gpt-5-mini`."""


def runs(provider: str, target: Target) -> bool:
    """Whether a provider, as others name it, runs a target; signs and case do not count (`x.ai` is `xAI`)."""
    return plain(provider) in map(plain, (target.provider, *target.domains.values()))


def plain(name: str) -> str:
    """A name without signs, in lower case."""
    return re.sub(r"[\W_]+", "", name).casefold()


def names_model(said: str, model: str) -> bool:
    """Whether the name of a model, or of a family of them, is that of a model: every word of it is in the model's name.

    Days do not count (`Claude 3.5 Sonnet` is `claude-3-5-sonnet-20241022`); a word such as `mini` that only the model's
    name has makes it another one.
    """
    theirs, ours = _words(said), _words(model)
    return bool(theirs) and theirs <= ours and not (ours - theirs) & _VARIANTS


def same_model(one: str, other: str) -> bool:
    """Whether two names of models have the same words; days do not count."""
    return _words(one) == _words(other)


def _words(model: str) -> frozenset[str]:
    """The words of a model's name; a version is one word: `3.5`."""
    name = _DAY.sub(" ", model.casefold().rpartition("/")[2]).strip(" -")
    parts = re.split(r"[^a-z0-9.]+", _VERSION.sub(".", name))
    return frozenset(part for part in parts if part.strip("."))
