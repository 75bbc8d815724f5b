"""Twins are started once a session and made healthy for each test; houses are cheap enough to be built where used."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.gateway.house import BRISK, House, settings_of, targets_at, until
from tests.gateway.resending import UNHURRIED, two_clients

from surefoot.domain.front import Idempotency
from surefoot.domain.route import Limits
from surefoot.twin import HEALTHY, Behaviour, Fixed, Tls, TwinOptions, TwinProcess

TOKENS = 8
BEHAVIOUR = Behaviour(rate=Fixed(400.0), tokens=Fixed(TOKENS), seed=1)
Pair = tuple[TwinProcess, TwinProcess]


def healthy(pair: Pair) -> Pair:
    for twin in pair:
        twin.set_faults(HEALTHY)
        twin.clear_log()
    return pair


@pytest.fixture(scope="session")
def started_twins() -> Iterator[Pair]:
    with TwinProcess(TwinOptions(behaviour=BEHAVIOUR)) as one, TwinProcess(TwinOptions(behaviour=BEHAVIOUR)) as two:
        yield one, two


@pytest.fixture
def twins(started_twins: Pair) -> Pair:
    return healthy(started_twins)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tls]:
    """The certificate of an authority, and what a server on localhost needs."""
    folder = tmp_path_factory.mktemp("tls")
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(folder / "ca.pem")
    certificate = issuer.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return folder / "ca.pem", Tls(str(folder / "cert.pem"), str(folder / "key.pem"))


@pytest.fixture(scope="session")
def started_house(started_twins: Pair) -> Iterator[House]:
    """One house for all tests that need nothing special: brisk limits, breakers that stay closed, no hedges."""
    limits = Limits(idle=0.3, deadline=5.0)
    with House(settings_of(targets_at(*(twin.port for twin in started_twins)), limits=limits, options=BRISK)) as house:
        yield house


@pytest.fixture
def house(started_house: House, twins: Pair) -> House:
    assert twins
    return started_house


@pytest.fixture(scope="session")
def started_unhurried() -> Iterator[TwinProcess]:
    with TwinProcess(TwinOptions(behaviour=UNHURRIED)) as twin:
        yield twin


@pytest.fixture
def unhurried(started_unhurried: TwinProcess) -> TwinProcess:
    """A provider that takes its time, healthy and idle."""
    started_unhurried.set_faults(HEALTHY)
    until(lambda: all(record.end is not None for record in started_unhurried.log()))
    started_unhurried.clear_log()
    return started_unhurried


@pytest.fixture(scope="session")
def patient(started_unhurried: TwinProcess) -> Iterator[House]:
    """A house before the provider that takes its time, with the usual bounds for kept answers."""
    with House(two_clients(started_unhurried.port, Idempotency())) as house:
        yield house
