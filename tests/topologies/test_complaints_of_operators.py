"""What operators of other gateways complained of, each under its number: it shows in the process, not in an answer."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai import APIError
from tests.topologies.house import QUIET, Client, Gateway

from surefoot.twin import Fault, TwinProcess

CALLS = 120


def file_of(*twins: TwinProcess) -> str:
    """Targets that fail, breakers that soon let the next one through, and nobody who waits for that."""
    targets = "".join(
        f'[targets.t{number}]\nprovider = "openai-compatible"\nmodel = "one"\nbase_url = "{twin.url}/v1"\n'
        for number, twin in enumerate(twins)
    )
    names = ", ".join(f'"t{number}"' for number in range(len(twins)))
    return (
        f'[[listeners]]\naddress = "127.0.0.1:0"\n[[keys]]\nname = "app"\nenv = "SUREFOOT_KEY"\n{targets}'
        f'[routes.chat]\ntargets = [{names}]\nlimits = {{ wait = "0s" }}\n[policy.breaker]\nopen_for = "0.1s"\n{QUIET}'
    )


def test_litellm_pr36148_failing_calls_write_no_log_of_their_own(tmp_path: Path) -> None:
    """One malformed request had written 456 MB, and the process no longer answered whether it lived."""
    with TwinProcess() as one, TwinProcess() as two:
        one.set_faults(Fault("status:500"))
        two.set_faults(Fault("reset"))
        with Gateway(tmp_path / "surefoot.toml", file_of(one, two)) as gateway, Client(gateway) as client:

            def asks(number: int) -> bool:
                with pytest.raises(APIError):
                    client.ask(stream=number % 2 == 0)
                return gateway.page("/readyz") == "ready\n"

            before = len(gateway.lines)
            with ThreadPoolExecutor(8) as crowd:
                assert all(crowd.map(asks, range(CALLS)))
            said = gateway.lines[before:]
    assert len(said) < CALLS / 4
    assert sum(map(len, said)) < 200 * CALLS / 4
