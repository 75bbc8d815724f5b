"""Tokens that broken attempts have cost, and the sum that the client is told in the end.

What a provider has counted is taken from it. What it did not get to say is estimated: the prompt from its length, the
answer from its events; and then the sum says that it is an estimate.
"""

import msgspec
from msgspec import Raw, Struct

from surefoot.dialects.dialect import Ask, Delivered, Usage

ESTIMATED = "surefoot_estimated"
"""The field of a usage object that says so."""


class Spent(Struct, frozen=True):
    """Of all attempts of a call that broke, together."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    events: int = 0
    """Of what was delivered, the events that are in these numbers."""


NOTHING = Spent()


def and_spent(before: Spent, ask: Ask, usage: Usage, delivered: Delivered) -> Spent:
    """Add an attempt that has broken; `delivered` is all that the client has got from it and those before it."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    said = delivered.events - before.events
    return Spent(
        before.prompt_tokens + (ask.prompt_tokens if prompt is None else prompt),
        before.completion_tokens + (said if completion is None else completion),
        before.estimated or prompt is None or completion is None,
        delivered.events,
    )


def summed(usage: Raw, spent: Spent) -> object:
    """A usage object with the broken attempts' tokens added to it; details stay those of its own attempt."""
    own: object = msgspec.json.decode(usage)
    if not isinstance(own, dict) or spent == NOTHING:
        return usage
    prompt, completion = own.get("prompt_tokens"), own.get("completion_tokens")
    if not isinstance(prompt, int) or not isinstance(completion, int):
        return usage
    prompt += spent.prompt_tokens
    completion += spent.completion_tokens
    own |= {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return own | {ESTIMATED: True} if spent.estimated else own
