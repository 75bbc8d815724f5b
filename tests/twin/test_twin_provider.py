"""The healthy twin: what it says, how it draws, what it remembers, how it is steered."""

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import openai
import pytest
from tests.twin.conftest import TOKENS, read_to_end, request_bytes
from tests.twin.conftest import Ask as AskTwin

from surefoot.twin import (
    Behaviour,
    Fault,
    FaultPlan,
    Fixed,
    Lognormal,
    Resampled,
    Rule,
    Twin,
    TwinError,
    TwinOptions,
    TwinProcess,
)
from surefoot.twin.behaviour import Dice, sampler
from surefoot.twin.faults import Chooser
from surefoot.twin.script import Ask, Composer
from surefoot.twin.spelling import distribution, duration, plan


def test_the_official_client_reads_plain_and_streamed_answers(twin: TwinProcess) -> None:
    with openai.OpenAI(base_url=twin.url + "/v1", api_key="k", max_retries=0) as client:
        messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
        plain = client.chat.completions.create(model="m", messages=messages)
        stream = client.chat.completions.create(
            model="m", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        assert [model.id for model in client.models.list()] == ["twin-1"]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert plain.choices[0].message.content == said == "A sure foot tries the ground before it"
    assert plain.usage is not None
    assert plain.usage.completion_tokens == TOKENS
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == TOKENS
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_usage_comes_only_when_asked_for(ask: AskTwin) -> None:
    assert b'"usage"' not in ask(stream=True).raw
    asked = ask(stream=True, stream_options={"include_usage": True}).raw
    assert asked.count(b'"usage":null') == TOKENS + 2
    assert asked.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_max_tokens_cuts_an_answer_and_says_length(ask: AskTwin) -> None:
    seen = ask(stream=True, max_tokens=2)
    assert seen.tokens == 2
    assert b'"finish_reason":"length"' in seen.raw


def test_a_body_that_is_not_a_chat_request_gets_400(twin: TwinProcess) -> None:
    client = http.client.HTTPConnection("127.0.0.1", twin.port, timeout=5)
    client.request("POST", "/v1/chat/completions", b"{")
    assert client.getresponse().status == 400
    client.close()


def test_pipelined_requests_are_answered_in_order(twin: TwinProcess) -> None:
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
        sock.sendall(request_bytes(close=False) * 3 + request_bytes())
        seen = read_to_end(sock, 5)
    assert seen.raw.count(b"HTTP/1.1 200 OK") == 4
    records = twin.log()
    assert len({record.connection for record in records}) == 1
    assert len(records) == 4


def test_the_log_tells_who_asked_without_keeping_the_key(twin: TwinProcess, ask: AskTwin) -> None:
    ask(headers="authorization: Bearer sk-secret\r\nx-drill: d7\r\n", stream=True)
    ask(headers="authorization: Bearer sk-other\r\n")
    first, second = twin.log()
    assert first.drill == "d7"
    assert (first.stream, second.stream) == (True, False)
    assert first.authorization_sha256 != second.authorization_sha256
    assert "secret" not in repr(first)
    assert first.content_tokens == TOKENS
    assert first.end is not None
    assert first.first_byte is not None
    assert first.arrival <= first.first_byte <= first.end
    assert first.gone_at is None
    assert [record.sequence for record in twin.log(since=first.sequence)] == [second.sequence]


def test_a_client_that_leaves_mid_stream_is_noted(
    twin: TwinProcess, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    twin.set_faults(Fault("stall", after_tokens=1))
    with socket.create_connection(("127.0.0.1", twin.port), timeout=5) as sock:
        sock.sendall(request_bytes(stream=True))
        sock.recv(65536)
    eventually(lambda: twin.log()[0].gone_at is not None)


def test_the_ring_forgets_the_oldest_and_counts_them() -> None:
    async def story() -> tuple[list[int], int]:
        async with Twin(options=TwinOptions(log_size=2)) as twin:
            reader, writer = await asyncio.open_connection("127.0.0.1", twin.port)
            writer.write(request_bytes(close=False) * 4 + request_bytes())
            await reader.read()
            writer.close()
            await writer.wait_closed()
            return [record.sequence for record in twin.log], twin.log.overwritten

    assert asyncio.run(story()) == ([4, 5], 3)


def test_segments_may_carry_several_events_but_the_first_token_goes_alone() -> None:
    behaviour = Behaviour(tokens=Fixed(7), gap=Fixed(0.02), events_per_segment=3)
    asked = Ask(
        model="m",
        stream=True,
        include_usage=False,
        limit=None,
        body_bytes=40,
        answer_id=b"1",
        wall=0.0,
        nth_on_connection=1,
    )
    script = Composer(behaviour).compose(asked, Dice(behaviour).throw(1), None)
    spoken = [step for step in script.steps if step.tokens]
    assert [step.tokens for step in spoken] == [1, 3, 3]
    assert [round(step.at, 3) for step in spoken] == [0.0, 0.06, 0.12]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a simulation


def test_the_same_seed_and_order_draw_the_same_numbers() -> None:
    behaviour = Behaviour(
        ttft=Lognormal(0.2, p99=2.0), gap=Lognormal(0.01, sigma=0.5), tokens=Lognormal(50, sigma=0.3), seed=7
    )
    draws = [Dice(behaviour).throw(n) for n in range(1, 50)]
    assert draws == [Dice(behaviour).throw(n) for n in range(1, 50)]
    other = msgspec.structs.replace(behaviour, seed=8)
    assert draws != [Dice(other).throw(n) for n in range(1, 50)]


def test_a_lognormal_told_by_p99_has_that_median_and_p99() -> None:
    draw, rng = sampler(Lognormal(0.2, p99=2.0)), chance(3)
    values = sorted(draw(rng) for _ in range(20_000))
    assert values[10_000] == pytest.approx(0.2, rel=0.05)
    assert values[19_800] == pytest.approx(2.0, rel=0.1)


def test_resampling_draws_only_what_the_file_holds(tmp_path: Path) -> None:
    lines, table = tmp_path / "times.txt", tmp_path / "times.csv"
    lines.write_text("0.1\n0.2\n\n0.3\n")
    table.write_text("id,ttft_ms\na,100\nb,250\n")
    rng = chance(1)
    draw = sampler(Resampled(str(lines)))
    assert {draw(rng) for _ in range(100)} == {0.1, 0.2, 0.3}
    draw = sampler(Resampled(str(table), "ttft_ms", 0.001))
    assert {round(draw(rng), 6) for _ in range(100)} == {0.1, 0.25}
    with pytest.raises(TwinError, match="it has no column 'no_such_column'"):
        sampler(Resampled(str(table), "no_such_column"))
    with pytest.raises(TwinError, match="could not convert string to float: 'a'"):
        sampler(Resampled(str(table), "id"))
    table.write_text("id,ttft_ms\na\n")
    with pytest.raises(TwinError, match="it holds no numbers"):
        sampler(Resampled(str(table), "ttft_ms"))


def test_rules_hold_to_their_schedule_count_and_probability() -> None:
    rules = FaultPlan(
        (
            Rule(Fault("silence"), start=1.0, stop=2.0),
            Rule(Fault("empty"), skip=1, count=2),
            Rule(Fault("stall"), probability=0.25),
        )
    )
    chooser = Chooser(rules, chance(5))
    assert chooser.for_request(1.5) == Fault("silence")
    kinds = [fault.kind if fault else None for fault in (chooser.for_request(3.0) for _ in range(2003))]
    assert kinds[1:3] == ["empty", "empty"]
    assert kinds[3:].count("stall") == pytest.approx(500, abs=80)
    again = Chooser(rules, chance(5))
    again.for_request(1.5)
    assert [fault.kind if fault else None for fault in (again.for_request(3.0) for _ in range(2003))] == kinds


def test_a_scheduled_refusal_comes_and_goes_by_itself() -> None:
    async def story() -> list[str]:
        happened: list[str] = []
        faults = FaultPlan((Rule(Fault("refuse"), stop=0.2),))
        async with Twin(Behaviour(), faults=faults) as twin:
            while len(happened) < 2:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", twin.port)
                except ConnectionRefusedError:
                    now = "refused"
                else:
                    now = "open"
                    writer.close()
                    await writer.wait_closed()
                if happened[-1:] != [now]:
                    happened.append(now)
        return happened

    assert asyncio.run(story()) == ["refused", "open"]


@pytest.mark.parametrize(
    "text",
    [
        '{"rules":[{"fault":{"kind":"no_such"}}]}',
        '{"rules":[{"fault":{"kind":"stall"},"probability":2}]}',
        '{"rules":[{"fault":{"kind":"refuse"},"count":3}]}',
        '{"rules":[{"fault":{"kind":"stall","after_token":3}}]}',
        "stahl",
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|probability|refuse"):
        plan(text)


def test_the_spellings_of_the_command_line() -> None:
    assert distribution("200ms") == Fixed(0.2)
    assert distribution("lognormal:200ms:1.5s") == Lognormal(0.2, p99=1.5)
    assert distribution("file:times.csv:ttft") == Resampled("times.csv", "ttft")
    with pytest.raises(ValueError, match="not a number"):
        distribution("soon")


@pytest.mark.parametrize("text", ["200", "0", "lognormal:200:1.5s", "lognormal:200ms:1500"])
def test_a_time_without_its_unit_is_refused(text: str) -> None:
    assert distribution("50") == Fixed(50)
    assert distribution("200ms", duration) == Fixed(0.2)
    with pytest.raises(ValueError, match="lacks its unit"):
        distribution(text, duration)


def test_the_control_door_shows_the_plan_and_refuses_nonsense(twin: TwinProcess) -> None:
    twin.set_faults(Fault("status:503", retry_after=3))
    assert twin.faults().rules[0].fault == Fault("status:503", retry_after=3)
    with pytest.raises(TwinError, match="refused"):
        twin._control("POST", "/_twin/faults", b"{}x")
    with pytest.raises(TwinError, match="refused"):
        twin._control("GET", "/_twin/nothing")


def test_a_connection_counts_whether_anything_was_said_on_it_or_not(twin: TwinProcess) -> None:
    before, seen = twin.accepted(), len(twin.log())
    with socket.create_connection(("127.0.0.1", twin.port)) as sock:
        sock.shutdown(socket.SHUT_RDWR)
        assert sock.recv(1) == b""  # it was taken, and closed
    assert (twin.accepted(), len(twin.log())) == (before + 1, seen)


def test_the_process_ends_with_its_context() -> None:
    with TwinProcess() as twin:
        os.kill(twin.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(twin.pid, 0)


def test_the_process_ends_when_its_parent_lets_go() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "surefoot.twin", "{}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert json.loads(process.stdout.readline())["pid"] == process.pid
        process.stdin.close()
        assert process.wait(10) == 0


def test_the_command_announces_itself_serves_and_ends_on_sigterm(tmp_path: Path) -> None:
    faults = tmp_path / "plan.json"
    faults.write_text('{"rules":[{"fault":{"kind":"status:503"},"count":1}]}')
    program = "import typer; from surefoot.cli.twin import twin; typer.run(twin)"
    options = ["--seed", "7", "--ttft", "5ms", "--tokens", "4", "--rate", "1000", "--faults", str(faults)]
    with subprocess.Popen([sys.executable, "-c", program, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        client = http.client.HTTPConnection(said["url"].removeprefix("http://"), timeout=5)
        statuses = []
        for _ in range(2):
            client.request("POST", "/v1/chat/completions", b'{"model":"m","messages":[]}')
            response = client.getresponse()
            response.read()
            statuses.append(response.status)
        client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert statuses == [503, 200]


def test_the_command_refuses_half_of_a_tls_identity() -> None:
    program = "import typer; from surefoot.cli.twin import twin; typer.run(twin)"
    done = subprocess.run(
        [sys.executable, "-c", program, "--cert", "c.pem"], capture_output=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert b"go together" in done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:

        async def story() -> None:
            async with Twin(options=TwinOptions(port=taken.getsockname()[1])):
                pass

        with pytest.raises(TwinError, match="cannot start"):
            asyncio.run(story())
