"""A target as a worker reaches it: its pool, its dialect, and the head of every request, built once."""

from surefoot.dialects.dialect import Ask, Dialect
from surefoot.dialects.openai_canned import canned
from surefoot.domain.target import Target
from surefoot.gateway.attesting import AttestingLeg, AttestingWatchedLeg
from surefoot.gateway.canned import CannedLeg
from surefoot.gateway.leg import Leg, Listener
from surefoot.gateway.watched import Plainly, WatchedLeg
from surefoot.wire.clock import wall
from surefoot.wire.pool import Pool

_AGENT = "surefoot"


class Upstream:
    """See the module. The credential is inside the prebuilt head, and nowhere else."""

    __slots__ = ("_deadline", "_head", "_leg", "_place", "_watched_leg", "dialect", "narrows", "pool", "target")

    def __init__(self, target: Target, credential: str | None, dialect: Dialect) -> None:
        endpoint = target.endpoint
        usual_port = 443 if endpoint.tls else 80
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        lines = [
            f"POST {endpoint.path}{dialect.path} HTTP/1.1",
            f"host: {host}" if endpoint.port == usual_port else f"host: {host}:{endpoint.port}",
            f"user-agent: {_AGENT}",
            "accept: application/json, text/event-stream",
            "content-type: application/json",
        ]
        lines += [f"{name}: {value}" for name, value in endpoint.headers]
        if credential is not None:
            lines.append(f"{endpoint.credential_header}: {endpoint.credential_prefix}{credential}")
        self._head = ("\r\n".join(lines) + "\r\ncontent-length: ").encode("latin-1")
        self._place = None if target.place_header is None else target.place_header.encode("latin-1")
        self.narrows = self._place is not None
        """Whether it is told the zones that an attempt is bound to."""
        self._deadline = None if target.deadline_header is None else target.deadline_header.encode("latin-1")
        self.target = target
        self.dialect = dialect
        self.pool = Pool(endpoint)
        attests = bool(target.place.confirms)
        self._leg = AttestingLeg if attests else Leg
        self._watched_leg = AttestingWatchedLeg if attests else WatchedLeg

    def leg(self, listener: Listener, number: int, ask: Ask, plainly: Plainly | None) -> Leg:
        """An attempt at this target, watched if a request is given for the case that it declines to stream."""
        if plainly is not None:
            return self._watched_leg(listener, number, self, ask).or_plainly(plainly)
        if self.target.text is not None:
            return CannedLeg(listener, number, self, ask)
        return self._leg(listener, number, self, ask, self.dialect.stream_reader(ask) if ask.stream else None)

    def request(self, ask: Ask, left: float, narrowed: bytes = b"", *, watched: bool) -> bytes:
        """The whole request for this target, ready to be written; a static target's answer.

        `left` is what remains of the deadline, in seconds; `narrowed` the zones that the attempt is bound to.
        """
        target = self.target
        if target.text is not None:
            return canned(ask, target.model, target.text, int(wall()))
        body = self.dialect.encode(ask, target.model, usage=target.usage_in_stream, watched=watched)
        return self.framed(body, left, narrowed)

    def framed(self, body: bytes, left: float, narrowed: bytes = b"") -> bytes:
        """A body with its head. Another Surefoot is told how much of the deadline is left, and what binds the call."""
        if self._deadline is None:
            return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        lines = b"%b: %d\r\n" % (self._deadline, max(int(left * 1000), 1))
        if self._place is not None and narrowed:
            lines += b"%b: %b\r\n" % (self._place, narrowed)
        return b"%b%d\r\n%b\r\n%b" % (self._head, len(body), lines, body)
