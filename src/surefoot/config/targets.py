"""From a target's table and its provider's profile to a `Target`.

Knows URLs, headers and profiles. Credentials go apart from the target, so that a target can be printed anywhere.
"""

import re
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from surefoot.config.credentials import read_secret, read_text
from surefoot.config.faults import Faults, did_you_mean, path_of
from surefoot.config.jurisdictions import PlaceReader
from surefoot.config.profiles import Profile, dialects, profiles
from surefoot.config.quantities import quoted
from surefoot.config.shape import PriceTable, TargetTable
from surefoot.domain.features import Feature, Features
from surefoot.domain.target import Endpoint, Target
from surefoot.domain.units import Price

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
CREDENTIAL_WORDS = {"authorization", "authentication", "auth", "key", "apikey", "token", "secret", "password", "cookie"}
CREDENTIAL_VALUE = re.compile(r"(bearer|basic) .+|(sk|gsk|xai|fw|pplx)-[A-Za-z0-9_-]{8,}", re.IGNORECASE)
OWN_HEADERS = {
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
STATIC = "static"
"""The provider of targets that answer with a configured text; there is nothing to reach."""
PLAINEST = "openai-compatible"
"""Read by this profile, the rest of a target with an unknown provider can still be checked."""
DEAREST = 1_000.0
"""US dollars per million tokens; no public price list comes near, so that more is a price per thousand, mistaken."""


def is_loopback(host: str) -> bool:
    """Whether an address cannot be reached from another machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class TargetReader:
    """Reads the targets of one file. `credentials` fills as it goes."""

    def __init__(self, base: Path, environ: Mapping[str, str], places: PlaceReader, faults: Faults) -> None:
        self._places = places
        self.credentials: dict[str, str] = {}
        self._base = base
        self._environ = environ
        self._faults = faults
        self._dialects = dialects()

    def read(self, name: str, table: TargetTable) -> Target | None:
        """The target, or None if it cannot be made of what the file says."""
        path = path_of("targets", name)
        if NAME.fullmatch(name) is None:
            self._faults.add(path, f"a target's name must match {NAME.pattern}")
        if table.provider == STATIC or table.text is not None:
            return self._static(name, table)
        profile = profiles().get(table.provider)
        if profile is None:
            self._faults.add(
                f"{path}.provider", f"unknown provider; {did_you_mean(table.provider, [*profiles(), STATIC])}"
            )
            profile = profiles()[PLAINEST]
            if table.base_url is None:
                self._faults.spoil(f"{path}.base_url")
        dialect = table.dialect or profile.dialect
        if dialect not in self._dialects:
            self._faults.add(f"{path}.dialect", f"unknown dialect; {did_you_mean(dialect, self._dialects)}")
        self._credential(name, table, profile)
        endpoint = self._endpoint(path, table, profile)
        if endpoint is None:
            return None
        return Target(
            name=name,
            provider=table.provider,
            model=table.model,
            dialect=dialect,
            endpoint=endpoint,
            place=self._places.place(f"{path}.place", table.place, profile.confirms),
            domains=dict(table.domains),
            window=table.window,
            features=None if table.features is None else self._features(path, table.features),
            price=None if table.price is None else self._price(path, table.price),
            max_in_flight=table.max_in_flight,
            usage_in_stream=profile.usage_in_stream,
            continues=table.continues or profile.continues,
            prefill=dict(profile.prefill),
            deadline_header=profile.deadline_header,
            place_header=profile.place_header,
        )

    def _static(self, name: str, table: TargetTable) -> Target:
        path = path_of("targets", name)
        if table.provider != STATIC:
            self._faults.add(f"{path}.text", f'is for targets with provider = "{STATIC}" only')
        if table.text is None:
            self._faults.add(f"{path}.text", "is required: it is what a static target answers")
        for key in ("base_url", "key", "ca", "max_in_flight", "window", "features", "dialect"):
            if getattr(table, key) is not None:
                self._faults.add(f"{path}.{key}", "has no meaning for a static target: nothing is reached")
        nowhere = Endpoint("", 0, tls=False, path="")
        price = None if table.price is None else self._price(path, table.price)
        place = self._places.place(f"{path}.place", table.place)
        return Target(name, table.provider, table.model, "", nowhere, place, price=price, text=table.text)

    def _credential(self, name: str, table: TargetTable, profile: Profile) -> None:
        path = path_of("targets", name, "key")
        if table.key is not None:
            secret = read_secret(table.key, path, self._base, self._environ, self._faults)
            if secret is not None:
                self.credentials[name] = secret
        elif profile.env is not None:
            usual = f'key = {{ env = "{profile.env}" }}'
            self._faults.warn(path, f"is missing, and {table.provider} asks for one; usually {usual}")

    def _endpoint(self, path: str, table: TargetTable, profile: Profile) -> Endpoint | None:
        url = table.base_url or profile.base_url
        if url is None:
            note = f" ({profile.note})" if profile.note else ""
            self._faults.add(f"{path}.base_url", f"is required: {table.provider} has none of its own{note}")
            return None
        split = self._url(f"{path}.base_url", url)
        if split is None or split.hostname is None:
            return None
        tls = split.scheme == "https"
        if not tls and table.key is not None and not is_loopback(split.hostname):
            self._faults.warn(f"{path}.base_url", "is plain http to another machine: the key can be read on the way")
        return Endpoint(
            host=split.hostname,
            port=split.port or (443 if tls else 80),
            tls=tls,
            path=split.path.rstrip("/"),
            headers=self._headers(path, table.headers, profile),
            credential_header=profile.credential_header,
            credential_prefix=profile.credential_prefix,
            ca_file=self._authorities(path, table.ca, tls=tls),
        )

    def _url(self, path: str, url: str) -> SplitResult | None:
        """The parts of a base URL, or None with the reason told. Never repeats it: a key may have been put into it."""
        try:
            split = urlsplit(url)
            port = split.port
        except ValueError as error:
            self._faults.add(path, f"is not a URL: {error}")
            return None
        wrong = (
            (split.scheme not in {"http", "https"} or not split.hostname, 'must be like "https://api.example.com/v1"'),
            (split.username is not None, "must not carry a user or password: a credential belongs into `key`"),
            (bool(split.query or split.fragment), "must end before `?` and `#`: no query, no fragment"),
            (port == 0, "must not name port 0: nothing can listen there"),
            (not url.isascii() or " " in url, "must be plain ASCII without white space"),
            (
                split.path.rstrip("/").endswith("/chat/completions"),
                "must end before /chat/completions: the dialect adds that",
            ),
        )
        for holds, sentence in wrong:
            if holds:
                self._faults.add(path, sentence)
                return None
        return split

    def _headers(self, path: str, headers: Mapping[str, str], profile: Profile) -> tuple[tuple[str, str], ...]:
        for name, value in headers.items():
            sentence = _refusal(name.lower(), value)
            if sentence:
                self._faults.add(f"{path}.{path_of('headers', name)}", sentence)
        merged = {**profile.headers, **{name.lower(): value for name, value in headers.items()}}
        return tuple(sorted(merged.items()))

    def _authorities(self, path: str, ca: str | None, *, tls: bool) -> str | None:
        if ca is None:
            return None
        path = f"{path}.ca"
        if not tls:
            self._faults.warn(path, "has no effect: the base_url is plain http")
        file = self._base / ca
        text = read_text(file, path, self._faults)
        if text is not None:
            try:
                ssl.create_default_context(cadata=text)
            except (ssl.SSLError, ValueError) as error:
                self._faults.add(path, f"the file {file} holds no certificates in PEM: {error}")
        return str(file)

    def _features(self, path: str, words: Sequence[str | None]) -> Features:
        """None stands where a word could not be read, which was told already."""
        known = set(Feature)
        found: set[Feature] = set()
        for place, word in enumerate(words):
            if word in known:
                found.add(Feature(word))
            elif word is not None:
                self._faults.add(f"{path}.features[{place}]", f"unknown feature; {did_you_mean(word, known)}")
        return frozenset(found)

    def _price(self, path: str, table: PriceTable) -> Price:
        for side, price in (("input", table.input), ("output", table.output)):
            if price > DEAREST:
                sentence = f"${price:,.0f} per million tokens is almost surely a price per thousand, or per token"
                self._faults.warn(f"{path}.price.{side}", sentence)
        return Price(table.input, table.output)


def _refusal(name: str, value: str) -> str | None:
    """Why a constant header may not be set, or None."""
    if HEADER.fullmatch(name) is None:
        return "is not a header name"
    if name in OWN_HEADERS:
        return "is set by the gateway itself"
    if CREDENTIAL_WORDS & set(re.split(r"[-_.]", name)) or CREDENTIAL_VALUE.fullmatch(value):
        return 'looks like a credential: say where it is with key = { env = "NAME" }'
    return None if value.isascii() else f"must be plain ASCII, not {quoted(value)}"
