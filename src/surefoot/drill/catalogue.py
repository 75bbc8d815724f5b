"""Every failure mode that can be drilled, by name: the twin's fault that produces it, and what may come of it.

A mode is added by a line here, and by the fault in `twin.faults` if there is none yet that produces it.

Knows: names, faults, kinds, and how far a failure usually reaches.
Must never: strike by itself.
"""

from difflib import get_close_matches

from msgspec import Struct

from surefoot.domain.outcome import Kind
from surefoot.errors import DrillError
from surefoot.twin import Fault

CLOUD = "cloud"
"""The failure domain, as targets name it in `domains`, that a provider-wide failure strikes as a whole."""

ALONE = "target"
"""The reach of a failure that strikes one target."""


class Mode(Struct, frozen=True):
    """One way to fail."""

    name: str
    fault: Fault
    kinds: tuple[Kind, ...]
    """How the journal may name an attempt that it struck. A later kind (`overtaken`) can hide the first."""
    meaning: str
    stream: bool = True
    """Drilled with streamed calls; else with plain ones."""
    answer: bool = True
    """Whether the client is given one by default: what is the client's own fault, or a filter's, is told to it."""
    ask: str = ""
    """What the calls ask for besides, as the members of a JSON object."""
    harmless: bool = False
    """Whether the target's own answer is good enough, so that nobody need be asked instead."""
    spoils: bool = False
    """Whether the target's answer is none, however whole it looks: whoever hands it on passes it off."""
    reach: str = ALONE
    """What usually fails together: the target alone, or all that share this failure domain with it.

    From public incident texts (OpenAI, Anthropic, 2023 to 2025) within one provider failures come together 11 to 23
    times as often as by chance; an account, a model's end and a provider's outage strike all of its regions.
    """

    @property
    def in_front(self) -> bool:
        """Whether a twin in front of a real target can produce it without writing the answer itself."""
        return self.fault.kind not in _NEEDS_OWN_ANSWER


_NEEDS_OWN_ANSWER = frozenset(
    {
        "bad_arguments",
        "bad_structure",
        "content_filter",
        "drip_later",
        "empty_answer",
        "malformed_event",
        "no_done",
        "no_done_open",
        "slow_drip",
        "stale",
        "tls",
    }
)
_JSON = '"response_format":{"type":"json_object"}'
_TOOL = '"tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object"}}}]'

_CUT = (Kind.CUT, Kind.OVERTAKEN)
_LATE = (Kind.SILENCE, Kind.SLOW_FIRST_TOKEN, Kind.OVERTAKEN, Kind.CANCELLED)
_ERROR = (Kind.SERVER_ERROR,)

_SPEND_LIMIT = Fault("status:429", code="enforced_spend_limit_reached")
_TOO_LONG = Fault("status:400", code="context_length_exceeded")

MODES = (
    Mode("refuse", Fault("refuse"), (Kind.CONNECT, Kind.RESET), "every connection is refused", reach=CLOUD),
    Mode("reset", Fault("reset"), (Kind.RESET,), "the connection is reset once the request was read"),
    Mode("tls", Fault("tls"), (Kind.TLS,), "the TLS handshake fails"),
    Mode("silence", Fault("silence"), _LATE, "the request is taken and never answered", reach=CLOUD),
    Mode("slow_first_token", Fault("slow_first_token"), _LATE, "a head, then no content for 30 s", reach=CLOUD),
    Mode("comments_only", Fault("comments_only"), _LATE, "a head, then comments for ever", reach=CLOUD),
    Mode("slow_drip", Fault("slow_drip", seconds=1.0), (Kind.SLOW_DRIP, Kind.OK, *_LATE), "a second between tokens"),
    Mode(
        "drip_later",
        Fault("drip_later", seconds=1.0),
        (Kind.SLOW_DRIP, Kind.STALL, Kind.OK),
        "a drip after three tokens",
    ),
    Mode("stall", Fault("stall"), (Kind.STALL,), "three tokens, then nothing"),
    Mode("cut", Fault("cut"), _CUT, "the connection is closed after three tokens"),
    Mode("cut_reset", Fault("cut", cut_by="reset"), _CUT, "the connection is reset after three tokens"),
    Mode("cut_mid_event", Fault("cut", cut_by="mid_event"), _CUT, "the connection is closed inside the fourth event"),
    Mode("truncate", Fault("truncate"), _CUT, "a clean end after three tokens, as if that were all"),
    Mode("done_unfinished", Fault("done_unfinished"), _CUT, "three tokens, then `[DONE]`, and no finish reason"),
    Mode("no_done", Fault("no_done"), (Kind.OK,), "a whole stream, but for its last line", harmless=True),
    Mode("no_done_open", Fault("no_done_open"), (Kind.OK,), "the same, and the stream is never closed", harmless=True),
    Mode("malformed_event", Fault("malformed_event"), (Kind.OK,), "one broken event in a good stream", harmless=True),
    Mode("stale", Fault("stale"), (Kind.OK,), "connections are closed after each answer", harmless=True),
    Mode("empty", Fault("empty"), (Kind.EMPTY,), "a 200 without a body"),
    Mode("empty_answer", Fault("empty_answer"), (Kind.EMPTY,), "a whole answer without text"),
    Mode("html", Fault("not_json"), (Kind.MALFORMED, Kind.EMPTY), "a 200 with a web page"),
    Mode("error_first", Fault("error_first"), _ERROR, "a 200 whose first event is an error", reach=CLOUD),
    Mode(
        "error_created", Fault("error_created"), (Kind.QUOTA,), "a 200, `response.created`, then no credit", reach=CLOUD
    ),
    Mode("error_later", Fault("error_later"), _ERROR, "an error event after three tokens"),
    Mode("server_error", Fault("status:500"), _ERROR, "HTTP 500", reach=CLOUD),
    Mode("bad_gateway", Fault("status:502"), _ERROR, "HTTP 502 and a web page", reach=CLOUD),
    Mode("gateway_timeout", Fault("status:504"), _ERROR, "HTTP 504", reach=CLOUD),
    Mode("unavailable", Fault("status:503"), (Kind.OVERLOAD,), "HTTP 503", reach=CLOUD),
    Mode("overload", Fault("status:529"), (Kind.OVERLOAD,), "HTTP 529", reach=CLOUD),
    Mode("rate_limit", Fault("status:429", retry_after=5.0), (Kind.RATE_LIMIT,), "HTTP 429, come back in 5 s"),
    Mode("quota", Fault("status:429", code="insufficient_quota"), (Kind.QUOTA,), "the credit is used up", reach=CLOUD),
    Mode("spend_limit", _SPEND_LIMIT, (Kind.QUOTA,), "a 429 that lasts until the month ends", reach=CLOUD),
    Mode("auth", Fault("status:401"), (Kind.AUTH,), "the credential is refused", reach=CLOUD),
    Mode("permission", Fault("status:403"), (Kind.AUTH,), "the account may not do this", reach=CLOUD),
    Mode("model_gone", Fault("status:404"), (Kind.MODEL_GONE,), "the model does not exist any more", reach=CLOUD),
    Mode("bad_request", Fault("status:400"), (Kind.BAD_REQUEST,), "HTTP 400: the client's own fault", answer=False),
    Mode("content_filter", Fault("content_filter"), (Kind.CONTENT_FILTER,), "the answer is filtered", answer=False),
    Mode("context_overflow", _TOO_LONG, (Kind.CONTEXT_OVERFLOW,), "the prompt is too long for the model", answer=False),
    Mode("plain_silence", Fault("silence"), _LATE, "a plain call is never answered", stream=False, reach=CLOUD),
    Mode("plain_error", Fault("status:500"), _ERROR, "HTTP 500 to a plain call", stream=False, reach=CLOUD),
    Mode("plain_html", Fault("not_json"), (Kind.MALFORMED,), "a plain call gets a web page", stream=False),
    Mode("plain_cut", Fault("cut"), _CUT, "a plain answer is cut in the middle", stream=False),
    Mode("plain_truncate", Fault("truncate"), (Kind.MALFORMED,), "half of a plain answer, as if whole", stream=False),
    Mode(
        "bad_arguments",
        Fault("bad_arguments"),
        (Kind.MALFORMED,),
        "a tool's arguments break off inside their JSON",
        stream=False,
        ask=_TOOL,
        spoils=True,
    ),
    Mode(
        "bad_structure",
        Fault("bad_structure"),
        (Kind.MALFORMED,),
        "prose where JSON was asked for",
        stream=False,
        ask=_JSON,
        spoils=True,
    ),
)


def chosen(names: tuple[str, ...]) -> tuple[Mode, ...]:
    """The modes of those names, in our order; all if none is named. Raises `DrillError` for an unknown name."""
    known = [mode.name for mode in MODES]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise DrillError(f"there is no mode {name!r}; {hint}")
    return tuple(mode for mode in MODES if not names or mode.name in names)
