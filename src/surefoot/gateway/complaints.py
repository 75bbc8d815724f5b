"""The gateway's own errors: which status, type and words belong to each way in which a call can end badly."""

from surefoot.dialects.dialect import Complaint, Story
from surefoot.domain.features import written
from surefoot.domain.outcome import OUTCOMES, Kind
from surefoot.policy.call import Call

STATUS = {
    Kind.RATE_LIMIT: 429,
    Kind.QUOTA: 429,
    Kind.OVERLOAD: 503,
    Kind.NO_TARGET: 503,
    Kind.SHUTDOWN: 503,
    Kind.DEADLINE: 504,
    Kind.SILENCE: 504,
    Kind.SLOW_FIRST_TOKEN: 504,
    Kind.STALL: 504,
    Kind.NOT_ALLOWED: 403,
    Kind.NOT_ABLE: 400,
    Kind.TOO_LONG: 400,
    Kind.BAD_REQUEST: 400,
    Kind.CONTENT_FILTER: 400,
    Kind.CONTEXT_OVERFLOW: 400,
}
"""Everything else is a 502: a target failed in a way that is not the caller's."""

_ADVICE = {
    Kind.RATE_LIMIT: "Send less, or add a target on another account.",
    Kind.QUOTA: "Raise the account's limit, or add a target on another account.",
    Kind.AUTH: "Check the target's key.",
    Kind.MODEL_GONE: "Check the target's model and base URL.",
    Kind.NO_TARGET: "Try again after the time in Retry-After, or add a target.",
    Kind.TOO_LONG: "Shorten the prompt, or add a target with a larger window.",
    Kind.CONTENT_FILTER: 'Change the prompt, or let the route ask another model: filtered = "fall back".',
    Kind.CONTEXT_OVERFLOW: "Shorten the prompt, or add a target with a larger window.",
    Kind.DEADLINE: "Raise the route's deadline, or look at the targets' speed.",
    Kind.CONTRADICTED: "Look at what is declared of the target, then readmit it.",
    Kind.SHUTDOWN: "Send the request again.",
}


def of_call(call: Call, kind: Kind) -> Complaint:
    """What is said when a call has failed: what happened last, what to do, and each attempt's story."""
    ended = call.ended or call.began
    stories = tuple(
        Story(attempt.state.name, attempt.kind or kind, (attempt.ended or ended) - attempt.started)
        for attempt in call.attempts
    )
    count = len(stories)
    tried = f"after {count} attempt{'s' if count != 1 else ''} " if count else ""
    if kind is Kind.DEADLINE and call.request.deadline is not None:
        advice = f"It was the {call.request.deadline * 1000:.0f} ms of the request's own surefoot-deadline."
    elif kind is Kind.NOT_ALLOWED:
        advice = f"It is bound by {call.request.jurisdiction.name}. {_reasons(call)}."
    elif kind is Kind.NOT_ABLE:
        advice = f"It needs {written(call.request.features)}. {_reasons(call)}."
    else:
        advice = _ADVICE.get(kind, "See `attempts` for what each target did.")
    message = f"Surefoot could not answer {tried}on route '{call.request.route}': {OUTCOMES[kind].meaning}. {advice}"
    status = STATUS.get(kind, 502)
    return Complaint(status, _type_of(status), str(kind), message, None, stories)


def _reasons(call: Call) -> str:
    """Why each target was refused."""
    return "; ".join(f"{verdict.target}: {verdict.reason}" for verdict in call.verdicts() if verdict.reason)


def refusal(status: int, code: str, message: str, param: str | None = None) -> Complaint:
    """What is said to a request that never became a call."""
    return Complaint(status, _type_of(status), code, message, param)


def _type_of(status: int) -> str:
    """The word that OpenAI's SDKs and users know for a status."""
    if status == 401:  # noqa: PLR2004 - statuses are best read as numbers
        return "authentication_error"
    if status == 403:  # noqa: PLR2004
        return "permission_error"
    if status == 429:  # noqa: PLR2004
        return "rate_limit_error"
    return "invalid_request_error" if status < 500 else "server_error"  # noqa: PLR2004
