"""The load generator against real sockets: its schedule, its clock, its verdicts."""

import asyncio
import itertools
import time
from collections.abc import Iterator

import pytest

from surefoot.load import CallResult, LoadError, LoadPlan, LoadResult, merged, run_load, run_paired, run_staggered
from surefoot.load.alarm import Alarm
from surefoot.twin import HEALTHY, Behaviour, Fault, Fixed, TwinOptions, TwinProcess, always

TTFT = 0.03
TOKENS = 6


@pytest.fixture(scope="module")
def shared_twin() -> Iterator[TwinProcess]:
    behaviour = Behaviour(ttft=Fixed(TTFT), rate=Fixed(200.0), tokens=Fixed(TOKENS))
    with TwinProcess(TwinOptions(behaviour=behaviour)) as process:
        yield process


@pytest.fixture
def twin(shared_twin: TwinProcess) -> TwinProcess:
    shared_twin.set_faults(HEALTHY)
    shared_twin.clear_log()
    return shared_twin


def load(plan: LoadPlan) -> LoadResult:
    return asyncio.run(run_load(plan))


def serve_and_load(answer: bytes, **plan: object) -> CallResult:
    """Send one call to a server that says `answer` and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def story() -> LoadResult:
        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            fields: dict[str, object] = {"url": url, "rate": 100, "count": 1, "timeout": 5} | plan
            return await run_load(LoadPlan(**fields))  # type: ignore[arg-type]

    (result,) = asyncio.run(story()).results
    return result


def sse(*events: str, headers: str = "") -> bytes:
    body = "".join(f"data: {event}\n\n" for event in events)
    return f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{headers}\r\n{body}".encode()


def test_constant_arrivals_are_evenly_spaced_and_bounded() -> None:
    plan = LoadPlan(url="http://127.0.0.1:1", rate=10, duration=1.0, count=100)
    assert list(plan.offsets()) == [pytest.approx(n / 10) for n in range(10)]
    assert len(list(LoadPlan(url="http://127.0.0.1:1", rate=10, duration=9, count=7).offsets())) == 7


def test_poisson_arrivals_repeat_with_their_seed_and_keep_their_rate() -> None:
    def times(seed: int) -> list[float]:
        plan = LoadPlan(url="http://127.0.0.1:1", rate=100, count=5000, arrivals="poisson", seed=seed)
        return list(plan.offsets())

    assert times(1) == times(1) != times(2)
    gaps = [after - before for before, after in itertools.pairwise(times(1))]
    assert sum(gaps) / len(gaps) == pytest.approx(0.01, rel=0.06)
    assert sum(gap > 0.01 for gap in gaps) / len(gaps) == pytest.approx(0.3679, abs=0.03)


@pytest.mark.parametrize(
    "fields",
    [
        {"rate": 1.0},
        {"rate": 0.0, "count": 1},
        {"rate": 1.0, "count": 0},
        {"rate": 1.0, "duration": -1.0},
        {"rate": 1.0, "count": 1, "url": "ftp://x"},
        {"rate": 1.0, "count": 1, "timeout": 0.0},
        {"rate": 1.0, "count": 1, "headers": {"a": "b\r\nc: d"}},
    ],
)
def test_a_plan_without_an_end_or_a_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rate|duration|count|address|timeout|line break"):
        LoadPlan(**({"url": "http://127.0.0.1:1"} | fields))  # type: ignore[arg-type]


def test_plain_calls_are_timed_to_their_end(twin: TwinProcess) -> None:
    whole = TTFT + (TOKENS - 1) / 200
    result = load(LoadPlan(url=twin.url, rate=200, count=40, headers={"Authorization": "Bearer k"}))
    assert (result.calls, result.ok, result.failures) == (40, 40, {})
    assert all(call.tokens == TOKENS and call.status == 200 for call in result.results)
    assert all(call.ttft == call.e2e >= whole - 0.001 for call in result.results)
    assert len({record.authorization_sha256 for record in twin.log()} - {None}) == 1
    assert len({record.connection for record in twin.log()}) < 40  # connections are kept and used again


def test_streams_are_timed_to_their_first_content_and_their_end(twin: TwinProcess) -> None:
    result = load(LoadPlan(url=twin.url + "/v1", rate=100, count=20, stream=True))
    assert result.ok == 20
    assert result.ttft_histogram.get_total_count() == result.e2e_histogram.get_total_count() == 20
    for call in result.results:
        assert call.done
        assert call.tokens == TOKENS
        assert call.ttft is not None
        # The role leaves at once; counting it would make the time nearly nothing.
        assert TTFT - 0.001 <= call.ttft < call.e2e


@pytest.mark.parametrize(
    "delta",
    ['{"content":"x"}', '{"reasoning_content":"x"}', '{"reasoning":"x"}', '{"tool_calls":[{"index":0}]}'],
)
def test_text_reasoning_and_tool_calls_are_content_and_a_role_is_not(delta: str) -> None:
    def event(said: str) -> str:
        return '{"choices":[{"index":0,"delta":' + said + ',"finish_reason":null}]}'

    role = event('{"role":"assistant","content":""}')
    silent = serve_and_load(sse(role, "[DONE]"), stream=True)
    assert (silent.first_content, silent.failure) == (None, "empty")
    speaking = serve_and_load(sse(role, event(delta), event("{}").replace("null", '"stop"'), "[DONE]"), stream=True)
    assert speaking.first_content is not None
    assert (speaking.ok, speaking.done, speaking.tokens) == (True, True, 1)


def test_done_after_a_part_of_an_answer_does_not_make_it_whole() -> None:
    part = '{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}'
    call = serve_and_load(sse(part, "[DONE]"), stream=True)
    assert (call.failure, call.done) == ("truncated", True)


def test_an_error_event_names_the_failure_though_the_connection_breaks_after_it() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    event = b'event: error\ndata: {"type":"overloaded_error"}\n\n'
    call = serve_and_load(head + b"%x\r\n%b\r\n" % (len(event), event), stream=True)
    assert (call.failure, call.error_text) == ("error_event", '{"type":"overloaded_error"}')


def test_a_stream_past_its_finish_is_whole_though_the_connection_breaks_after_it() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    event = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    call = serve_and_load(head + b"%x\r\n%b\r\n" % (len(event), event), stream=True)
    assert (call.ok, call.done) == (True, False)


def test_the_headers_of_a_gateway_are_kept() -> None:
    headers = "surefoot-target: b\r\nSurefoot-Attempts: 2\r\nsurefoot-call: c1\r\n"
    result = serve_and_load(sse('{"choices":[{"delta":{"content":"x"}}]}', "[DONE]", headers=headers))
    assert (result.target, result.attempts, result.call) == ("b", "2", "c1")


# The verdict on each fault, for a plain call and for a stream; None is a good call.
VERDICTS: dict[Fault, tuple[str | None, str | None]] = {
    Fault("refuse"): ("connect_refused", "connect_refused"),
    Fault("reset"): ("reset", "reset"),
    Fault("silence"): ("timeout", "timeout"),
    Fault("stall"): ("timeout", "timeout"),
    Fault("cut"): ("disconnected", "disconnected"),
    Fault("cut", cut_by="mid_event"): ("disconnected", "disconnected"),
    Fault("cut", cut_by="reset"): ("reset", "reset"),
    Fault("truncate"): ("not_json", "truncated"),
    Fault("no_done"): (None, None),
    Fault("empty"): ("empty", "empty"),
    Fault("not_json"): ("not_json", "not_json"),
    Fault("error_first"): ("error_event", "error_event"),
    Fault("error_later"): ("error_event", "error_event"),
    Fault("malformed_event"): (None, None),
    Fault("empty_answer"): ("empty", "empty"),
    Fault("stale"): (None, None),
    Fault("status:429"): ("http_429", "http_429"),
    Fault("status:502"): ("http_502", "http_502"),
    Fault("status:529"): ("http_529", "http_529"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("fault", VERDICTS, ids=lambda fault: f"{fault.kind}-{fault.cut_by}")
def test_every_fault_of_the_twin_gets_its_verdict(twin: TwinProcess, fault: Fault, *, stream: bool) -> None:
    twin.set_faults(always(fault))
    (call,) = load(LoadPlan(url=twin.url, rate=100, count=1, stream=stream, timeout=0.4)).results
    assert call.failure == VERDICTS[fault][stream]
    assert call.ok is (call.failure is None)
    assert call.malformed_events == (fault.kind == "malformed_event" and stream)
    if call.failure == "error_event":
        assert "server_error" in (call.error_text or "")
    if stream and fault.kind in {"no_done", "cut", "stall", "error_later"}:
        assert not call.done
        assert call.first_content is not None


def test_a_plan_against_a_closed_or_speechless_tls_port_fails_as_tls(twin: TwinProcess) -> None:
    url = twin.url.replace("http://", "https://")
    (call,) = load(LoadPlan(url=url, rate=100, count=1, timeout=5)).results
    assert (call.failure, call.sent) == ("tls", None)


def test_what_is_not_http_is_told_as_such() -> None:
    assert serve_and_load(b"SSH-2.0-nothing\r\n\r\n").failure == "protocol"


def test_a_missing_certificate_file_is_an_error_of_the_plan(twin: TwinProcess) -> None:
    url = twin.url.replace("http://", "https://")
    with pytest.raises(LoadError, match="certificates"):
        load(LoadPlan(url=url, rate=1, count=1, ca_file="/nowhere.pem"))


def test_waiting_for_a_connection_counts_and_sends_are_not_coordinated(twin: TwinProcess) -> None:
    """One connection and answers slower than the schedule: a closed loop would see each call take 55 ms."""
    result = load(LoadPlan(url=twin.url, rate=100, count=10, max_connections=1))
    assert result.ok == 10
    each = TTFT + (TOKENS - 1) / 200
    last = result.results[-1]
    assert last.e2e >= 10 * each - 9 / 100 - 0.01  # the whole queue, less its head start
    assert last.intended - result.results[0].intended == pytest.approx(0.09)
    assert last.sent is not None
    assert last.sent - last.intended > each
    assert result.lateness_p99 < 0.05  # the generator itself was on time


def test_a_silent_server_cannot_hold_the_load_beyond_its_timeout(twin: TwinProcess) -> None:
    twin.set_faults("silence")
    begin = time.monotonic()
    result = load(LoadPlan(url=twin.url, rate=50, count=10, timeout=0.3))
    assert time.monotonic() - begin < 0.2 + 0.3 + 1.0
    assert result.failures == {"timeout": 10}
    assert all(0.3 <= call.e2e < 0.4 for call in result.results)


def test_paired_plans_share_every_intended_moment(twin: TwinProcess) -> None:
    slow = Behaviour(ttft=Fixed(0.1), tokens=Fixed(1))
    with TwinProcess(TwinOptions(behaviour=slow)) as other:
        plans = [LoadPlan(url=url, rate=100, count=20, arrivals="poisson") for url in (twin.url, other.url)]
        first, second = asyncio.run(run_paired(plans))
    moments = [[call.intended for call in result.results] for result in (first, second)]
    assert moments[0] == moments[1]
    assert (first.ok, second.ok) == (20, 20)
    pairs = zip(first.results, second.results, strict=True)
    went_first = [(one.sent or 0.0) < (two.sent or 0.0) for one, two in pairs][10:]
    assert {True, False} == set(went_first)
    assert all(one.e2e < two.e2e for one, two in zip(first.results, second.results, strict=True))


def test_pairing_different_schedules_is_refused(twin: TwinProcess) -> None:
    plans = [LoadPlan(url=twin.url, rate=rate, count=1) for rate in (1.0, 2.0)]
    with pytest.raises(LoadError, match="same rate"):
        asyncio.run(run_paired(plans))


def test_results_are_called_back_and_need_not_be_kept(twin: TwinProcess) -> None:
    seen: list[CallResult] = []

    async def story() -> LoadResult:
        return await run_load(LoadPlan(url=twin.url, rate=200, count=10), seen.append, keep=False)

    result = asyncio.run(story())
    assert sorted(call.index for call in seen) == list(range(10))
    assert result.results == []
    assert result.e2e_histogram.get_total_count() == 10


def test_histograms_merge_without_loss(twin: TwinProcess) -> None:
    one, two = (load(LoadPlan(url=twin.url, rate=200, count=count)) for count in (5, 10))
    both = merged([one.e2e_histogram, two.e2e_histogram])
    assert both.get_total_count() == 15
    assert both.get_max_value() == max(one.e2e_histogram.get_max_value(), two.e2e_histogram.get_max_value())


def test_the_alarm_never_rings_early() -> None:
    async def story() -> list[float]:
        errors: list[float] = []
        rung = asyncio.Event()

        def ring() -> None:
            errors.append(time.monotonic() - due)
            rung.set()

        alarm = Alarm(ring)
        for delay in (0.0, 0.0002, 0.0015, 0.01):
            rung.clear()
            due = time.monotonic() + delay
            alarm.set(due)
            await rung.wait()
        alarm.close()
        return errors

    errors = asyncio.run(story())
    assert len(errors) == 4
    assert min(errors) >= 0


def test_a_thousand_plain_calls_a_second_leave_on_time() -> None:
    with TwinProcess() as fast:
        results = [load(LoadPlan(url=fast.url, rate=1000, duration=1.0)) for _ in range(3)]
    assert {(result.calls, result.ok) for result in results} == {(1000, 1000)}
    # Typical is 0.1 ms. What others do on the machine at the same time makes single runs late, never all in time.
    assert min(result.lateness_p99 for result in results) < 0.02


def test_staggered_plans_begin_when_told_and_keep_their_own_pace() -> None:
    with TwinProcess() as fast:
        plans = [LoadPlan(url=fast.url, rate=20, count=3), LoadPlan(url=fast.url, rate=100, count=5)]
        first, second = asyncio.run(run_staggered(plans, [0.1, 0.0]))
    assert (first.ok, second.ok) == (3, 5)
    for result, start, gap in ((first, 0.1, 0.05), (second, 0.0, 0.01)):
        intended = [one.intended - result.started for one in result.results]
        assert intended == pytest.approx([start + gap * number for number in range(result.calls)])
    with pytest.raises(LoadError):
        asyncio.run(run_staggered([], []))
