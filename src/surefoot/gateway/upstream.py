"""A target as a worker reaches it: its pool, its dialect, and the head of every request, built once."""

from surefoot.dialects.dialect import Ask, Dialect
from surefoot.domain.target import Target
from surefoot.wire.pool import Pool

_AGENT = "surefoot"


class Upstream:
    """See the module. The credential is inside the prebuilt head, and nowhere else."""

    __slots__ = ("_head", "dialect", "pool", "target")

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
        self.target = target
        self.dialect = dialect
        self.pool = Pool(endpoint)

    def request(self, ask: Ask) -> bytes:
        """The whole request for this target, ready to be written."""
        target = self.target
        body = self.dialect.encode(ask, target.model, usage=target.usage_in_stream)
        return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
