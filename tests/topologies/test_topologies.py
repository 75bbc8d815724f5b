"""The shipped examples end to end, over real sockets: the right target is chosen, fails, and has recovered.

Each example is driven as its file says; only addresses, secrets and the breaker's opening time are others.
"""

from pathlib import Path

import pytest
from openai import APIStatusError
from tests.topologies.house import Client, Gateway, eventually, example, urls

from surefoot.twin import HEALTHY, Fault, TwinProcess

Twins = list[TwinProcess]
LONG = "The way is long and the stones are loose. " * 120
"""Some 1,250 tokens: too long for a model near the user, as the edge router's file has it."""


def fall(client: Client, gateway: Gateway, target: str, route: str = "chat", prompt: str = "And now?") -> set[str]:
    """Ask until the target's breaker has opened; who answered meanwhile."""
    answered: set[str] = set()

    def opened() -> bool:
        answered.update(client.both(route, prompt))
        return any(f"breaker opened: {target}," in line for line in gateway.lines)

    eventually(opened)
    return answered


def seen_by(client: Client) -> str:
    """Who answers a short prompt with an image."""
    raw = client.sdk.chat.completions.with_raw_response.create(
        model="chat",
        messages=[
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}
        ],
    )
    return str(raw.headers["surefoot-target"])


def models(twin: TwinProcess) -> set[str | None]:
    return {record.model for record in twin.log()}


def test_minimal_the_second_provider_answers_while_the_first_one_fails(tmp_path: Path, twins: Twins) -> None:
    text = example("minimal", urls(["openai", "mistral"], twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.both() == ["openai", "openai"]
        assert models(twins[0]) == {"gpt-5-mini"}
        assert not twins[1].log()
        twins[0].set_faults("status:500")
        assert fall(client, gateway, "openai") == {"mistral"}
        assert models(twins[1]) == {"mistral-small-latest"}
        twins[0].set_faults(HEALTHY)
        client.until_from("openai")
        assert client.both() == ["openai", "openai"]


def test_onprem_hybrid_the_cloud_answers_while_the_house_is_down(tmp_path: Path, twins: Twins) -> None:
    house, cloud = twins[:2]
    text = example("onprem-hybrid", urls(["house", "cloud"], twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.both() == ["house", "house"]
        assert models(house) == {"smollm2"}
        house.set_faults("refuse")
        assert fall(client, gateway, "house") == {"cloud"}
        assert models(cloud) == {"mistral-small-latest"}
        house.set_faults(HEALTHY)
        client.until_from("house")
        assert client.both() == ["house", "house"]


def test_onprem_hybrid_what_must_stay_in_the_house_never_reaches_the_cloud(tmp_path: Path, twins: Twins) -> None:
    house, cloud = twins[:2]
    text = example("onprem-hybrid", urls(["house", "cloud"], twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.both("private") == ["house", "house"]
        house.set_faults("status:503")
        for number in range(6):  # with the breaker closed, and open
            with pytest.raises(APIStatusError):
                client.ask("private", stream=number % 2 == 1)
        assert not cloud.log()
        assert client.both("chat") == ["cloud", "cloud"]
        house.set_faults(HEALTHY)
        client.until_from("house")
        assert client.both("private") == ["house", "house"]
        assert models(cloud) == {"mistral-small-latest"}


def test_onprem_hybrid_a_prompt_too_long_for_the_house_goes_to_the_cloud(tmp_path: Path, twins: Twins) -> None:
    text = example("onprem-hybrid", urls(["house", "cloud"], twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.both(prompt=LONG * 2) == ["cloud", "cloud"]
        assert client.both() == ["house", "house"]


def test_single_cloud_the_region_that_speaks_first_is_chosen_fails_and_comes_back(tmp_path: Path, twins: Twins) -> None:
    sweden, france = twins[:2]
    sweden.set_faults(Fault("slow_first_token", seconds=0.03))
    text = example("single-cloud", urls(["sweden", "france"], twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.ask(stream=True).target == "sweden"  # nothing is known yet: as listed
        sampled: list[bool] = []

        def learned() -> bool:
            client.ask(stream=True)
            sampled[:] = [bool(target["delays"]) for target in gateway.status()["targets"]]
            return all(sampled)

        eventually(learned)
        for twin in (sweden, france):
            twin.clear_log()
        for _ in range(3):
            assert client.ask(stream=True).target == "france"
        assert not sweden.log()
        assert client.ask(stream=True).target == "france"
        france.set_faults("status:503")
        assert fall(client, gateway, "france") == {"sweden"}
        france.set_faults(HEALTHY)
        client.until_from("france")
        assert client.ask(stream=True).target == "france"


def test_multi_cloud_one_cloud_after_the_other_fails_and_the_first_comes_back(tmp_path: Path, twins: Twins) -> None:
    names = ["azure-eu", "mistral-eu", "openai-us", "groq-us"]
    text = example("multi-cloud", urls(names, twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        for place, name in enumerate(names[:-1]):
            assert client.ask(stream=bool(place % 2)).target == name
            twins[place].set_faults("status:503")
            assert fall(client, gateway, name) == {names[place + 1]}
        for twin in twins:
            twin.set_faults(HEALTHY)
        client.until_from("azure-eu")
        assert models(twins[0]) == {"gpt-5-mini"}
        assert models(twins[3]) == {"llama-3.3-70b-versatile"}


def test_multi_cloud_the_route_of_the_eu_fails_rather_than_leave_it(tmp_path: Path, twins: Twins) -> None:
    names = ["azure-eu", "mistral-eu", "openai-us", "groq-us"]
    text = example("multi-cloud", urls(names, twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        assert client.both("eu") == ["azure-eu", "azure-eu"]
        twins[0].set_faults("status:503")
        assert fall(client, gateway, "azure-eu", "eu") == {"mistral-eu"}
        twins[1].set_faults("refuse")
        for number in range(4):
            with pytest.raises(APIStatusError):
                client.ask("eu", stream=number % 2 == 1)
        assert not twins[2].log()
        assert not twins[3].log()
        assert client.ask("chat").target == "openai-us"
        twins[0].set_faults(HEALTHY)
        eventually(lambda: answered_from(client, "eu") == "azure-eu")


def test_multi_cloud_the_cheap_route_asks_by_price(tmp_path: Path, twins: Twins) -> None:
    names = ["azure-eu", "mistral-eu", "openai-us", "groq-us"]
    text = example("multi-cloud", urls(names, twins))
    with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
        dear_prompt = LONG * 2  # groq asks least for answers, and most for prompts
        assert client.both("cheap", dear_prompt) == ["azure-eu", "azure-eu"]
        twins[0].set_faults("status:503")
        assert fall(client, gateway, "azure-eu", "cheap", dear_prompt) == {"openai-us"}
        twins[0].set_faults(HEALTHY)
        client.until_from("azure-eu", "cheap", dear_prompt)


def test_edge_router_short_prompts_stay_near_and_long_ones_go_to_the_surefoot_upstream(
    tmp_path: Path, twins: Twins
) -> None:
    near, sweden, france = twins[:3]
    upstream = Gateway(tmp_path / "upstream.toml", example("single-cloud", urls(["sweden", "france"], twins[1:])))
    with upstream:
        text = example("edge-router", {"near": near.url, "upstream": upstream.url})
        with Gateway(tmp_path / "edge.toml", text, same=["UPSTREAM_SUREFOOT_KEY"]) as edge, Client(edge) as client:
            assert client.both() == ["near", "near"]
            assert not sweden.log()
            assert client.both(prompt=LONG) == ["upstream", "upstream"]
            assert models(near) == {"llama3.2"}
            assert models(sweden) == {"gpt-5-mini"}
            assert seen_by(client) == "upstream"

            near.set_faults("silence")
            assert client.ask(stream=True).target == "upstream"  # by the hedge, long before the deadline
            near.set_faults("status:503")
            assert fall(client, edge, "near") == {"upstream"}
            near.set_faults(HEALTHY)
            client.until_from("near")

            sweden.set_faults("status:503")
            assert fall(client, upstream, "sweden", prompt=LONG) == {"upstream"}
            assert france.log(), "the fallback was the upstream's own"
            france.set_faults("status:503")
            with pytest.raises(APIStatusError):
                client.ask(prompt=LONG)
            assert client.both() == ["near", "near"]
            for twin in (sweden, france):
                twin.set_faults(HEALTHY)
            eventually(lambda: answered_from(client, "chat", LONG) == "upstream")


def answered_from(client: Client, route: str, prompt: str = "And now?") -> str | None:
    """Who answers one call; None if it is refused."""
    try:
        return client.ask(route, prompt).target
    except APIStatusError:
        return None
