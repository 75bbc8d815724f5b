"""Whose key a request shows: keys of the configuration and of the key file, found, remembered and forgotten."""

import msgspec
from tests.gateway.house import SALT, settings_of, targets_at

from surefoot.config.door import digest_of
from surefoot.domain.front import ANYONE, NO_LIMITS, ClientKey, Door, KeyLimits, Ring
from surefoot.gateway import doorkeeper
from surefoot.gateway.channel import Keys, Settings
from surefoot.gateway.doorkeeper import NONE, Doorkeeper
from surefoot.policy.allowance import Share

RING_SALT = b"r" * 32
APP, OTHER = "sf_abcdefgh23_the-secret-of-app-0123456789", "sf_bcdefghi34_another_secret-of_other"
OWN = "any text that-is-long-enough".replace(" ", "-")


def kept(shown: str, name: str, limits: KeyLimits = NO_LIMITS, expires: float | None = None) -> ClientKey:
    return ClientKey(name, digest_of(shown, RING_SALT), limits=limits, id=shown.split("_")[1], expires=expires)


def settings(*, keys_file: str | None = "keys.json", keys: bool = True, workers: int = 1) -> Settings:
    own = (ClientKey("own", digest_of(OWN, SALT), drill=True),) if keys else ()
    return msgspec.structs.replace(
        settings_of(targets_at(1)), door=Door((), own, salt=SALT, keys_file=keys_file), workers=workers
    )


def ring(*keys: ClientKey) -> Keys:
    return Keys(Ring(RING_SALT, keys), [])


def shows(keeper: Doorkeeper, secret: str, scheme: str = "Bearer") -> str | None:
    key = keeper.key_of({b"authorization": f"{scheme} {secret}".encode()})
    return None if key is None else key.name


def test_each_key_is_found_and_whatever_is_not_quite_one_is_not() -> None:
    keeper = Doorkeeper(settings(), ring(kept(APP, "app"), kept(OTHER, "other")), 0.0)
    assert [shows(keeper, secret) for secret in (APP, OTHER, OWN)] == ["app", "other", "own"]
    assert shows(keeper, APP, "bEARER") == "app"
    assert shows(keeper, f" {APP} ") == "app"
    wrong = (APP[:-1], APP + "x", APP.upper(), APP.replace("abcdefgh23", "bcdefghi34"), "sf_", "sf__", "sf_abcdefgh23_")
    assert [shows(keeper, secret) for secret in (*wrong, OWN[1:], "", "é")] == [None] * (len(wrong) + 3)
    assert shows(keeper, APP, "Basic") is None
    assert keeper.key_of({}) is None
    assert keeper.key_of({b"authorization": b""}) is None


def test_a_key_of_the_configuration_may_look_like_one_of_the_file() -> None:
    shown = "sf_of_the_operators_own_making"
    door = Door((), (ClientKey("own", digest_of(shown, SALT)),), salt=SALT)
    assert shows(Doorkeeper(msgspec.structs.replace(settings(), door=door), NONE, 0.0), shown) == "own"


def test_without_any_key_everybody_is_anyone_and_with_an_empty_key_file_nobody_is() -> None:
    wide_open = Doorkeeper(settings(keys_file=None, keys=False), NONE, 0.0)
    assert wide_open.key_of({}) is ANYONE
    assert wide_open.key_of({b"authorization": b"Bearer whatever"}) is ANYONE
    closed = Doorkeeper(settings(keys=False), NONE, 0.0)
    assert closed.key_of({}) is None
    assert shows(closed, "whatever") is None


def test_what_was_admitted_is_forgotten_when_the_keys_change() -> None:
    keeper = Doorkeeper(settings(), ring(kept(APP, "app"), kept(OTHER, "other")), 0.0)
    assert [shows(keeper, secret) for secret in (APP, OTHER)] == ["app", "other"]
    keeper.hold(ring(kept(OTHER, "other")), 1.0)
    assert [shows(keeper, secret) for secret in (APP, OTHER, OWN)] == [None, "other", "own"]
    assert "app" not in keeper.named
    keeper.enter(settings(keys=False).door, 2.0)
    assert [shows(keeper, secret) for secret in (OTHER, OWN)] == ["other", None]


def test_a_key_is_none_any_more_once_its_time_is_over() -> None:
    keeper = Doorkeeper(settings(), ring(kept(APP, "app", expires=5000.0), kept(OTHER, "other")), 0.0)
    keeper.expire(4999.0, 1.0)
    assert shows(keeper, APP) == "app"
    keeper.expire(5000.0, 2.0)
    assert [shows(keeper, secret) for secret in (APP, OTHER)] == [None, "other"]


def test_what_is_remembered_is_bounded_however_a_client_spells_its_header() -> None:
    keeper = Doorkeeper(settings(), ring(kept(APP, "app")), 0.0)
    for number in range(doorkeeper.REMEMBERED + 100):
        assert shows(keeper, " " * number + APP) == "app"
    assert 0 < len(keeper._admitted) <= doorkeeper.REMEMBERED
    assert shows(keeper, "wrong") is None
    assert b"Bearer wrong" not in keeper._admitted


def test_limits_keep_their_count_when_other_keys_change_or_they_themselves_do() -> None:
    small = KeyLimits(in_flight=2)
    keeper = Doorkeeper(settings(workers=2), ring(kept(APP, "app", small)), 0.0)
    allowance = keeper.allowances["app"]
    assert allowance.home in {0, 1}
    assert [allowance.enter(1.0) is None for _ in range(3)] == [True, True, False]
    keeper.hold(ring(kept(APP, "app", small), kept(OTHER, "other")), 2.0)
    assert keeper.allowances["app"] is allowance
    keeper.hold(ring(kept(APP, "app", KeyLimits(in_flight=3))), 3.0)
    assert [keeper.allowances["app"].enter(3.0) is None for _ in range(2)] == [True, False]
    keeper.hold(ring(kept(APP, "app")), 4.0)
    assert not keeper.allowances
    assert keeper.refused == 2


def test_of_a_limit_that_is_shared_out_a_worker_has_what_it_is_told() -> None:
    wide = KeyLimits(in_flight=100, per_minute=6000)
    told = Keys(Ring(RING_SALT, (kept(APP, "app", wide),)), [Share("app", 50, 3000)])
    keeper = Doorkeeper(settings(workers=2), told, 0.0)
    assert [report.share for report in keeper.report(1.0)] == [Share("app", 50, 3000)]
    keeper.allow([Share("app", 20, 1500), Share("of-nobody", 1, 1)], 1.0)
    assert [report.share for report in keeper.report(1.0)] == [Share("app", 20, 1500)]
    for _ in range(25):
        keeper.allowances["app"].enter(1.0)
    (report,) = keeper.report(1.0)
    assert (report.in_flight, report.per_minute) == (20, 750)
