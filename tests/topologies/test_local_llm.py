"""The hybrid's house as a real model server: llama.cpp on a small real model, and the cloud's twin beside it."""

import os
import signal
from pathlib import Path

import pytest
from openai import APIError
from tests.topologies.house import Client, Gateway, eventually, example

from surefoot.drill.local_llm import LocalModel
from surefoot.twin import TwinProcess

pytestmark = pytest.mark.local_llm


def test_a_real_model_in_the_house_answers_with_usage_and_the_cloud_takes_over_when_it_is_killed(
    tmp_path: Path, twins: list[TwinProcess]
) -> None:
    cloud = twins[0]
    with LocalModel() as model:
        text = example("onprem-hybrid", {"house": model.url, "cloud": cloud.url})
        with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
            for stream in (False, True):
                answer = client.ask(prompt="Say hello.", stream=stream)
                assert answer.target == "house"
                assert answer.text.strip()
                assert answer.finish in {"stop", "length"}
                assert answer.tokens is not None
                assert 0 < answer.tokens <= 16
            assert not cloud.log()

            os.kill(model.pid, signal.SIGKILL)
            for stream in (False, True, False, True):
                answer = client.ask(prompt="Say hello.", stream=stream)
                assert answer.target == "cloud"
                assert answer.text.strip()
            eventually(lambda: client.both() == ["cloud", "cloud"] and gateway_has_opened(gateway))


def test_a_stream_from_the_real_model_that_is_broken_by_its_death_is_not_told_as_whole(
    tmp_path: Path, twins: list[TwinProcess]
) -> None:
    with LocalModel() as model:
        text = example("onprem-hybrid", {"house": model.url, "cloud": twins[0].url})
        with Gateway(tmp_path / "surefoot.toml", text) as gateway, Client(gateway) as client:
            raw = client.sdk.chat.completions.with_raw_response.create(
                model="chat",
                messages=[{"role": "user", "content": "Tell a very long story of a walk in the mountains."}],
                max_tokens=1500,
                stream=True,
            )
            assert raw.headers["surefoot-target"] == "house"
            finishes: list[str | None] = []

            def read_on() -> None:
                with raw.parse() as stream:
                    for number, chunk in enumerate(stream):
                        if number == 5:
                            os.kill(model.pid, signal.SIGKILL)
                        finishes.extend(choice.finish_reason for choice in chunk.choices)

            with pytest.raises(APIError):  # the error event in the stream, as the SDK tells it
                read_on()
            assert len(finishes) > 5
            assert not any(finishes)


def gateway_has_opened(gateway: Gateway) -> bool:
    return any("breaker opened: house," in line for line in gateway.lines)
