from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from tests.journal.records import attempt, call

from surefoot.config.configuration import Admin, Configuration
from surefoot.config.faults import Faults
from surefoot.config.places import ZoneTable
from surefoot.config.zones import ZoneReader
from surefoot.control.metrics import Metrics
from surefoot.control.picture import REMEMBERED, Picture
from surefoot.control.status import status
from surefoot.control.tally import MOST, Tally
from surefoot.domain.front import ClientKey, Door, Listener
from surefoot.domain.place import Confirmation, Fact, Place
from surefoot.domain.route import Route, Rung
from surefoot.domain.target import Endpoint, Target
from surefoot.gateway.channel import Hear, Ready, Report, RouteReport, TargetReport
from surefoot.policy.breaker import State
from surefoot.policy.first_token import Delays
from surefoot.policy.options import PolicyOptions
from surefoot.policy.suspicion import Grade
from surefoot.policy.target_state import News, Opened, SlotShare, Suspended

ENDPOINT = Endpoint("h", 1, tls=False, path="/v1")
NEAR = Target("near", "p", "m", "openai-chat", ENDPOINT, Place(("EU",)), {"cloud": "aws"}, max_in_flight=10)
FAR = Target("far", "p", "m", "openai-chat", ENDPOINT)
UNLEARNED = Delays(1.5, 3.0)


def configuration(*targets: Target) -> Configuration:
    return Configuration(
        version="0123456789ab",
        door=Door((Listener("127.0.0.1", 8080),), (ClientKey("team", b"digest-of-a-key"),), b"salt-of-keys"),
        admin=Admin(),
        targets=targets or (NEAR, FAR),
        routes=(Route("chat", tuple(Rung(target.name) for target in targets or (NEAR, FAR))),),
        options=PolicyOptions(),
        credentials={"near": "credential-of-near"},
    )


def report(
    *,
    state: State = State.CLOSED,
    until: float = 0.0,
    delays: Sequence[Delays] = (UNLEARNED,) * 10,
    counters: dict[str, int] | None = None,
    dropped: int = 0,
) -> Report:
    target = TargetReport("near", 2, state, until, list(delays), 30, 5)
    return Report(3, 4, [target], [RouteReport("chat", 100, 7, 1, 2.5)], counters or {}, dropped)


def picture_of_two() -> Picture:
    picture = Picture(configuration(), 2)
    for worker in (0, 1):
        picture.started(worker, 0.0)
    return picture


def test_it_is_ready_when_all_workers_are_and_not_while_it_drains() -> None:
    picture = picture_of_two()
    assert not picture.ready
    picture.is_ready(0, Ready("0123456789ab"))
    assert not picture.ready
    picture.is_ready(1, Ready("0123456789ab"))
    assert picture.ready
    picture.draining = True
    assert not picture.ready


def test_a_worker_that_starts_hears_its_share_and_what_is_open() -> None:
    picture = picture_of_two()
    picture.tell(0, [Opened("far", 10.0)], 0.0)
    picture.lost(1)
    assert picture.started(1, 4.0) == [Hear(SlotShare("near", 5)), Hear(Opened("far", 6.0))]


def test_what_a_dead_worker_had_counted_stays_counted() -> None:
    picture = picture_of_two()
    picture.report(0, report(counters={"accepted": 5}, dropped=2), 1.0)
    picture.report(1, report(counters={"accepted": 1}), 1.0)
    picture.lost(0)
    picture.started(0, 2.0)
    picture.report(0, report(counters={"accepted": 3}, dropped=1), 3.0)
    assert picture.counters == {"accepted": 9}
    assert picture.dropped == 3
    assert picture.seats[0].deaths == 1


def test_a_reload_deals_slots_anew_only_where_the_limit_has_changed() -> None:
    picture = picture_of_two()
    wider = msgspec.structs.replace(NEAR, max_in_flight=20)
    assert picture.reconfigure(configuration(wider)) == {
        0: [Hear(SlotShare("near", 10))],
        1: [Hear(SlotShare("near", 10))],
    }
    assert picture.reconfigure(configuration(FAR)) == {0: [], 1: []}


def of_version(version: str, *targets: Target, lab: str = "DE") -> Configuration:
    """One in which a zone of the user's own is made of another."""
    zones = ZoneReader({"lab": ZoneTable(members=[lab])}, Faults()).read()
    return replace(configuration(*targets), version=version, zones=zones)


def test_what_was_found_before_a_reload_is_believed_of_targets_that_are_judged_as_they_were() -> None:
    about: list[News] = [Suspended("near", "why"), Opened("far", 1.0), Suspended("gone", "why")]
    gone = replace(FAR, name="gone")
    picture = Picture(of_version("v1", NEAR, FAR, gone), 2)
    assert picture.still("v1", about) == about
    picture.reconfigure(of_version("v2", NEAR, replace(FAR, model="another")))
    assert picture.still("v1", about) == about[:1]
    assert picture.still("v2", about) == about
    picture.reconfigure(of_version("v3", replace(NEAR, model="another"), FAR))
    assert picture.still("v1", about) == []
    assert picture.still("never", about) == []
    picture.reconfigure(of_version("v1", NEAR, FAR))
    assert picture.still("v1", about) == about


def test_versions_of_long_ago_are_not_remembered() -> None:
    picture = Picture(of_version("v0", NEAR), 1)
    for number in range(1, 1 + REMEMBERED):
        picture.reconfigure(of_version(f"v{number}", NEAR))
    assert picture.still("v0", [Suspended("near", "why")]) == [Suspended("near", "why")]
    picture.reconfigure(of_version("last", NEAR))
    assert picture.still("v0", [Suspended("near", "why")]) == []


def test_a_reload_that_changes_what_a_zone_means_lifts_suspensions_that_hang_on_it_and_no_others() -> None:
    confirms = (Confirmation(Fact.PROCESSES, header="x-region", means={"here": "DE", "there": "US"}),)
    lab = replace(NEAR, place=Place(("lab",), confirms=confirms))
    other = replace(FAR, place=Place(("SE",), confirms=confirms))
    picture = Picture(of_version("v1", lab, other), 2)
    picture.started(0, 0.0)
    picture.tell(0, [Suspended("near", "why"), Suspended("far", "why")], 0.0)
    picture.reconfigure(of_version("v2", lab, other))
    assert picture.suspended == {"near": "why", "far": "why"}
    picture.reconfigure(of_version("v3", lab, other, lab="US"))
    assert picture.suspended == {"far": "why"}
    assert picture.still("v2", [Suspended("near", "why")]) == []


def test_reports_of_targets_that_are_gone_are_not_shown() -> None:
    picture = picture_of_two()
    picture.report(0, report(), 1.0)
    picture.reconfigure(configuration(FAR))
    assert picture.targets() == {"far": []}


def test_status_merges_workers_to_the_worst_breaker_and_the_longest_delays() -> None:
    picture = picture_of_two()
    picture.report(0, report(delays=(Delays(0.2, 0.9, 0.1),) * 10), 1.0)
    picture.report(1, report(state=State.OPEN, until=3.0, delays=(Delays(0.3, 0.8, 0.15),) * 10), 1.0)
    shown = status(picture, None, ["http://127.0.0.1:8080"], 12.0)
    near = shown["targets"][0]
    assert (near["breaker"], near["opens_for"], near["in_flight"], near["samples"]) == ("open", 3.0, 4, 60)
    assert near["delays"][0] == {"stream": True, "prompt_tokens_up_to": 256, "hedge": 0.3, "limit": 0.9, "median": 0.15}
    assert near["delays"][-1]["prompt_tokens_up_to"] is None
    assert shown["routes"][0]["second_attempts"] == {"spent": 14, "refused": 2, "saved": 5.0}


def test_delays_that_nobody_has_learned_are_not_shown() -> None:
    picture = picture_of_two()
    picture.report(0, report(), 1.0)
    assert status(picture, None, [], 1.0)["targets"][0]["delays"] == []


def test_neither_status_nor_metrics_show_a_secret() -> None:
    picture = picture_of_two()
    picture.report(0, report(), 1.0)
    picture.tally.count([call()])
    shown = msgspec.json.encode(status(picture, None, [], 1.0)) + Metrics(picture, None).text()
    for secret in (b"credential-of-near", b"digest-of-a-key", b"salt-of-keys"):
        assert secret not in shown


def test_metrics_tell_calls_attempts_breakers_and_first_content() -> None:
    picture = picture_of_two()
    picture.report(0, report(state=State.HALF_OPEN), 1.0)
    picture.tally.count([call(), call(attempts=[attempt(0, "far", "silence", None), attempt(1)])])
    text = Metrics(picture, None).text().decode()
    for line in (
        'surefoot_calls_total{kind="ok",route="chat"} 2.0',
        'surefoot_attempts_total{kind="silence",reason="first",target="far"} 1.0',
        'surefoot_tokens_total{direction="completion",target="near"} 400.0',
        'surefoot_breaker_state{state="half_open",target="near"} 1.0',
        'surefoot_breaker_state{state="closed",target="far"} 1.0',
        'surefoot_call_first_content_seconds_bucket{form="stream",le="0.2",route="chat"} 0.0',
        'surefoot_call_first_content_seconds_bucket{form="stream",le="0.3",route="chat"} 2.0',
        'surefoot_call_first_content_seconds_count{form="stream",route="chat"} 2.0',
    ):
        assert line in text.splitlines()


def test_counting_never_grows_beyond_its_bound() -> None:
    tally = Tally()
    tally.count([call(attempts=[attempt(0, f"target-{n}")]) for n in range(MOST + 100)])
    assert len(tally.attempts) <= MOST + 1
    assert sum(tally.attempts.values()) == MOST + 100


def test_a_target_is_shown_under_the_gravest_suspicion_of_any_worker() -> None:
    picture = picture_of_two()
    calm = report()
    (target,) = calm.targets
    suspect = replace(calm, targets=[replace(target, suspicion=Grade.HEDGE_AT_ONCE)], ours=True)
    picture.report(0, calm, 1.0)
    picture.report(1, suspect, 1.0)
    shown = status(picture, None, [], 1.0)
    assert [target["suspicion"] for target in shown["targets"] if target["target"] == "near"] == ["hedge_at_once"]
    assert shown["all_targets_failing"]
    text = Metrics(picture, None).text().decode()
    assert 'surefoot_suspicion{target="near"} 2.0' in text
    assert "surefoot_all_targets_failing 1.0" in text
