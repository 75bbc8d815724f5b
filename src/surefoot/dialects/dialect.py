"""The one shape of a dialect, so that another API can be added by an entry point of the group `surefoot.dialects`.

A dialect knows the words of one API. It never decides what follows from them: it names the `Kind`, the policy does
the rest.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from surefoot.domain.features import NO_FEATURES, Features
from surefoot.domain.outcome import Kind
from surefoot.domain.target import Target


class Usage(Struct, frozen=True):
    """Tokens as the provider counted them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


NO_USAGE = Usage()

Headers = dict[bytes, bytes]
"""Of an answer, their names in lower case."""

NO_HEADERS: Headers = {}

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of a plain answer, or of the stream that one is put together from, that are held before it is called
malformed: a bound, not a promise."""


def _nothing() -> Features:
    return NO_FEATURES


class Ask(Struct):
    """A client's request as far as the gateway needs it; `body` is what it sent, to the byte."""

    body: bytes
    model: str
    stream: bool
    prompt_tokens: int
    max_tokens: int
    answers: int
    """How many alternatives (`n`) the client wants."""
    wants_usage: bool
    """Whether the client itself asked for usage within the stream."""
    resumable: bool = False
    """Whether a broken answer may be continued, as far as the request tells: one streamed text without a form."""
    model_span: tuple[int, int] | None = None
    """Where the value of `model` stands in the body, quotes included, once it has been looked for."""
    watchable: bool = False
    """A plain call whose parameters allow that it is streamed upstream."""
    says_stream: bool = False
    """Whether the body has a `stream` of its own, be it false or null."""
    structured: bool = False
    """Whether the answer's text has to be JSON."""
    needs: Callable[[], Features] = _nothing
    """Looks what it takes to answer beside text: only when it is called, since most routes do not ask."""


class Story(Struct, frozen=True):
    """One attempt, as an error tells it."""

    target: str
    kind: Kind
    seconds: float


class Delivered(Struct, frozen=True):
    """What the client has got of an answer that broke, or of its beginnings if several broke."""

    text: str
    """Of the first choice."""
    text_only: bool
    """No tool call, function call, refusal or audio, no second choice, nothing that could not be read."""
    reasoning: bool
    """Whether reasoning was delivered; it is not part of the text."""
    role: bool
    """Whether the client has been told whose message this is."""
    events: int
    """Events with content, reasoning included: what is known of the number of tokens when the provider is silent."""
    text_events: int
    """Those of them with text."""
    finish_reason: str | None = None
    id: object = None
    created: object = None
    """With `id` and `model` as in the first answer's chunks; None if they are not told."""
    model: object = None

    @property
    def continuable(self) -> bool:
        """Whether another target may go on with it: text, and not at its end."""
        return self.text_only and self.finish_reason is None


class Complaint(Struct, frozen=True):
    """An error of the gateway's own, before a dialect puts it into words of its API."""

    status: int
    type: str
    code: str
    message: str
    param: str | None = None
    attempts: tuple[Story, ...] = ()
    delivered_bytes: int | None = None
    """Of a stream that broke: bytes that the client has got of it."""
    delivered: Delivered | None = None
    """What the client has got already, where it is told so in a stream."""


class PlainReader(Protocol):
    """Judges a whole answer."""

    usage: Usage

    def judge(self, body: bytes) -> Kind:
        """`Kind.OK`, or what is wrong with a body that came with status 200."""


class StreamReader(Protocol):
    """Follows a stream. `feed` returns what may be relayed; nothing is returned before there is content."""

    content: bool
    """Whether content (text, reasoning, a tool call) has been seen. May be set before the first `feed`, by who knows
    that the client has content already: then nothing is held back."""
    progress: bool
    """Whether the last `feed` held a data event, and not only comments."""
    seen: bool
    """Whether any data event has come at all."""
    whole: bool
    """Whether the answer is complete: the terminal event has come."""
    finished: bool
    """Whether the answer said that it ends, be it without the terminal event."""
    wrong: Kind | None
    """An error event, as a kind; what follows it is not read."""
    usage: Usage
    events: int
    """Events with content so far, or nearly so: what stands in for tokens where only a rate is wanted."""

    def feed(self, data: bytes) -> bytes:
        """Whole events, ready to be sent to the client."""

    def close(self) -> bytes:
        """What is missing to end a finished stream properly; empty if nothing is."""


class Assembler(StreamReader, Protocol):
    """Follows the stream of a watched call. `feed` and `close` return nothing: nothing is relayed of it.

    `content` and `progress` are what there is to watch. If a single event cannot be read, the stream is `wrong`.
    """

    def answer(self) -> bytes:
        """The body of the plain answer, once the stream is `whole`, or has ended and was `finished`.

        It still has to be judged as a plain answer is.
        """


class Dialect(Protocol):
    """One API, at both ends: how clients ask, and how targets answer."""

    @property
    def name(self) -> str:
        """As in the configuration's `dialect`."""

    @property
    def path(self) -> str:
        """Below the base URL: `/chat/completions`."""

    def read(self, body: bytes) -> Ask:
        """What the client asks for. Raises `DialectError` with a sentence for the client."""

    def encode(self, ask: Ask, model: str, *, usage: bool, watched: bool = False) -> bytes:
        """The body for a target that calls its model so; with `usage` a stream is asked to report its tokens.

        `watched` turns a plain call that is `watchable` into a stream, which is always asked for its tokens: without
        them its answer would not be the plain one.
        """

    def continuation(self, ask: Ask, target: Target, delivered: Delivered, wording: str) -> bytes:
        """The body for a target that is to go on with a broken answer, as `target.continues` says.

        `wording` is what it is asked by `Continues.PROMPT`. While no text was delivered it is the plain request.
        """

    def plain_reader(self, ask: Ask | None = None) -> PlainReader:
        """A reader for one plain answer. Without the ask it cannot know whether the text has to be JSON."""

    def stream_reader(self, ask: Ask) -> StreamReader:
        """A reader for one streamed answer."""

    def assembler(self, ask: Ask) -> Assembler:
        """A reader for one streamed answer to a watched call."""

    def declines_stream(self, status: int, body: bytes) -> bool:
        """Whether an error answer says that this target does not stream, so that the call has to be asked plain."""

    def classify(self, status: int, body: bytes, headers: Headers = NO_HEADERS) -> Kind:
        """What an answer with a status other than 200 means."""

    def asks_to_wait(self, body: bytes) -> bytes | None:
        """For how long such an answer asks to be left alone, as the header `Retry-After` would say it, if it does."""

    def error(self, complaint: Complaint) -> bytes:
        """The body of an error answer."""

    def error_event(self, complaint: Complaint) -> bytes:
        """The same inside a stream."""

    def models(self, names: tuple[str, ...]) -> bytes:
        """The list of what can be asked for."""
