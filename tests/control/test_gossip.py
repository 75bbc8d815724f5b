from surefoot.control.gossip import PERMIT, STILL_PROBING, Gossip, Told
from surefoot.policy.target_state import Closed, Opened, ProbePermit, ProbeWanted, Readmitted, SlotShare, Suspended

WORKERS = (0, 1, 2)


def wants(gossip: Gossip, worker: int, now: float, target: str = "near") -> bool:
    told = gossip.tell(worker, ProbeWanted(target), WORKERS, now)
    assert told in {None, Told(ProbePermit(target, PERMIT), (worker,))}
    return told is not None


def test_what_one_worker_finds_out_is_told_to_the_others_and_not_to_itself() -> None:
    gossip = Gossip()
    assert gossip.tell(1, Opened("near", 10.0), WORKERS, 0.0) == Told(Opened("near", 10.0), (0, 2))
    assert gossip.tell(2, Closed("near"), WORKERS, 5.0) == Told(Closed("near"), (0, 1))


def test_a_lone_worker_has_nobody_to_tell() -> None:
    assert Gossip().tell(0, Opened("near", 10.0), (0,), 0.0) is None


def test_one_worker_gets_the_permit_and_no_other_while_it_lasts() -> None:
    gossip = Gossip()
    assert wants(gossip, 0, 0.0)
    assert not wants(gossip, 1, PERMIT - 0.01)
    assert wants(gossip, 1, PERMIT)


def test_permits_of_different_targets_do_not_disturb_each_other() -> None:
    gossip = Gossip()
    assert wants(gossip, 0, 0.0, "near")
    assert wants(gossip, 1, 0.0, "far")


def test_a_verdict_on_the_target_ends_the_permit() -> None:
    for verdict in (Opened("near", 10.0), Closed("near")):
        gossip = Gossip()
        assert wants(gossip, 0, 0.0)
        gossip.tell(0, verdict, WORKERS, 1.0)
        assert wants(gossip, 1, 1.0)


def test_a_permit_lasts_as_long_as_its_holder_reports_that_it_is_probing() -> None:
    gossip = Gossip()
    assert wants(gossip, 0, 0.0)
    gossip.probing(0, "near", PERMIT - 0.1)
    assert not wants(gossip, 1, PERMIT + 1.0)
    assert wants(gossip, 1, PERMIT - 0.1 + STILL_PROBING)


def test_a_worker_that_dies_takes_its_permit_with_it() -> None:
    gossip = Gossip()
    assert wants(gossip, 0, 0.0)
    gossip.lost(0)
    assert wants(gossip, 1, 0.1)


def test_a_newcomer_hears_of_every_breaker_that_has_not_closed_since() -> None:
    gossip = Gossip()
    gossip.tell(0, Opened("near", 10.0), WORKERS, 0.0)
    gossip.tell(0, Opened("far", 2.0), WORKERS, 0.0)
    gossip.tell(0, Opened("well", 10.0), WORKERS, 0.0)
    gossip.tell(1, Closed("well"), WORKERS, 1.0)
    assert gossip.for_newcomer(4.0) == [Opened("near", 6.0), Opened("far", 0.0)]


def test_an_opening_under_way_is_not_shortened_by_a_shorter_one() -> None:
    gossip = Gossip()
    gossip.tell(0, Opened("near", 60.0), WORKERS, 0.0)
    gossip.tell(1, Opened("near", 1.0), WORKERS, 0.0)
    assert gossip.for_newcomer(0.0) == [Opened("near", 60.0)]


def test_targets_that_are_configured_no_more_are_forgotten() -> None:
    gossip = Gossip()
    gossip.tell(0, Opened("gone", 60.0), WORKERS, 0.0)
    assert wants(gossip, 0, 0.0, "gone")
    gossip.only(["near"], ["near"])
    assert gossip.for_newcomer(0.0) == []
    assert wants(gossip, 1, 0.0, "gone")


def test_shares_and_permits_are_not_for_workers_to_tell() -> None:
    gossip = Gossip()
    assert gossip.tell(0, SlotShare("near", 99), WORKERS, 0.0) is None
    assert gossip.tell(0, ProbePermit("near", 99.0), WORKERS, 0.0) is None


def test_a_suspension_is_told_to_the_others_and_kept_until_it_is_lifted() -> None:
    gossip = Gossip()
    news = Suspended("near", "declares processes = DE; header x-region: us")
    assert gossip.tell(0, news, WORKERS, 0.0) == Told(news, (1, 2))
    assert gossip.suspended == {"near": news.why}
    assert gossip.readmit("far") is None
    assert gossip.readmit("near") == Readmitted("near")
    assert gossip.suspended == {}


def test_the_first_reason_for_a_suspension_is_kept() -> None:
    gossip = Gossip()
    gossip.tell(0, Suspended("near", "one"), WORKERS, 0.0)
    gossip.tell(1, Suspended("near", "another"), WORKERS, 1.0)
    assert gossip.suspended == {"near": "one"}


def test_a_reload_lifts_the_suspension_of_a_target_that_is_declared_otherwise_now() -> None:
    gossip = Gossip()
    gossip.tell(0, Suspended("same", "why"), WORKERS, 0.0)
    gossip.tell(0, Suspended("changed", "why"), WORKERS, 0.0)
    gossip.only(["same", "changed"], ["same"])
    assert gossip.suspended == {"same": "why"}


def test_readmission_is_not_for_workers_to_tell() -> None:
    gossip = Gossip()
    gossip.tell(0, Suspended("near", "why"), WORKERS, 0.0)
    assert gossip.tell(0, Readmitted("near"), WORKERS, 0.0) is None
    assert gossip.suspended == {"near": "why"}
