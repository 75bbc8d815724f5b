"""What fallbacks share with the first target: by what is declared, and by the outages that struck both."""

from pathlib import Path

import numpy as np
import pytest
from tests.replay.paired import HOUR, MONDAY, TARGETS, ok, outage, results
from tests.replay.planned import configured

from surefoot.candidates.sharing import Pair, alone_by_law, pairs_of, told
from surefoot.evidence import clopper_pearson
from surefoot.facts import Fact
from surefoot.replay.counting.arranged import Arranged
from surefoot.replay.counting.numbers import Numbers
from surefoot.replay.counting.tally import Tally
from surefoot.replay.outages.outage import Outage

CLOUDS = """
[targets.{name}]
provider = "openai-compatible"
model = "m"
base_url = "https://{name}.example.com/v1"
key = {{ env = "NOT_SET" }}
domains = {{ {domains} }}
"""


def beta(pair: Pair, outages: list[Outage]) -> Fact:
    tally = Tally(outages, TARGETS, (0.0,))
    at = [MONDAY, MONDAY + 100 * HOUR]
    both = results(at, [ok(), ok()])
    tally.add(np.zeros(2, np.int64), both, both)
    return next(one.fact for one in told(pair, Arranged(tally, 7), Numbers("c", None, 1)) if "beta" in one.fact.name)


def pair(*shared: str) -> Pair:
    return Pair(route="chat", first="primary", fallback="spare", shared=shared, undeclared=())


def test_domains_are_shared_where_both_declare_the_same_name_and_what_is_unsaid_is_said(tmp_path: Path) -> None:
    told_of = {
        "a": 'cloud = "x", region = "north"',
        "b": 'cloud = "x", region = "south"',
        "c": 'cloud = "x", region = "north", cdn = "f"',
        "d": 'cdn = "f"',
    }
    targets = "".join(CLOUDS.format(name=name, domains=domains) for name, domains in told_of.items())
    routes = '[routes.chat]\ntargets = ["a", "b", "c", "d"]\n[routes.other]\ntargets = ["d", "a"]\n'
    found = pairs_of(configured(tmp_path, routes, targets), ["chat"])
    assert [(one.first, one.fallback, one.shared, one.undeclared) for one in found] == [
        ("a", "b", ("cloud x",), ()),
        ("a", "c", ("cloud x", "region north"), ()),
        ("a", "d", (), ("cloud", "region")),
    ]
    assert [one.total for one in found] == [False, True, False]


def test_who_may_not_serve_is_no_fallback_and_a_route_that_has_no_other_is_uncovered_by_law(tmp_path: Path) -> None:
    targets = "".join(
        CLOUDS.format(name=name, domains=f'cloud = "{name}"') + f'place = "{place}"\n'
        for name, place in {"a": "DE", "b": "US", "c": "FR"}.items()
    )
    routes = (
        '[jurisdiction.eu]\nprocesses = ["EU"]\n[routes.chat]\ntargets = ["a", "b", "c"]\njurisdiction = "eu"\n'
        '[routes.alone]\ntargets = ["a", "b"]\njurisdiction = "eu"\n'
        '[routes.own]\ntargets = ["a"]\njurisdiction = "eu"\n'  # nobody is kept from standing in: there is nobody
        '[routes.free]\ntargets = ["a", "b"]\n'
    )
    configuration = configured(tmp_path, routes, targets)
    found = pairs_of(configuration, ["chat", "alone", "free"])
    assert [(one.route, one.fallback, bool(one.forbidden)) for one in found] == [
        ("chat", "b", True),
        ("chat", "c", False),
        ("alone", "b", True),
        ("free", "b", False),
    ]
    assert found[0].forbidden.startswith("eu: ")
    assert list(alone_by_law(configuration, ["chat", "alone", "own", "free"])) == [
        "uncovered by law: the route alone may be served by a alone, and nobody may stand in"
    ]
    assert list(alone_by_law(configuration, ["chat"])) == []


def test_who_may_serve_by_one_rung_of_a_route_is_a_fallback_whatever_the_others_forbid(tmp_path: Path) -> None:
    targets = "".join(
        CLOUDS.format(name=name, domains=f'cloud = "{name}"') + f'place = "{place}"\n'
        for name, place in {"a": "DE", "b": "US"}.items()
    )
    routes = (
        '[jurisdiction.eu]\nprocesses = ["EU"]\n[routes.strict]\ntargets = ["a", "b"]\njurisdiction = "eu"\n'
        '[routes.both]\ntargets = ["a", { route = "strict" }, { route = "free" }]\n'
        '[routes.free]\ntargets = ["b"]\n'
    )
    configuration = configured(tmp_path, routes, targets)
    assert [(one.fallback, one.forbidden) for one in pairs_of(configuration, ["both"])] == [("b", "")]


def test_beta_is_one_where_cloud_and_region_are_shared() -> None:
    assert beta(pair("cloud x", "region north"), []).value == 1


def test_beta_is_the_part_of_the_first_targets_outage_in_which_the_fallback_is_out() -> None:
    outages = [outage(10, 14), outage(12, 15, incident="j"), outage(13, 20, target="spare", incident="k")]
    assert beta(pair("cloud x"), outages).value == pytest.approx(2 / 5)


def test_no_common_outage_in_two_incidents_does_not_make_beta_surely_nothing() -> None:
    found = beta(pair(), [outage(10, 14), outage(30, 34, incident="j")])
    assert (found.value, found.low, found.high) == (0.0, *clopper_pearson(0, 2))


def test_a_long_outage_beside_a_short_one_is_hardly_two_of_them() -> None:
    found = beta(pair(), [outage(10, 30), outage(40, 41, incident="j")])
    high = found.high or 0.0
    assert clopper_pearson(0, 2)[1] < high < clopper_pearson(0, 1)[1]


def test_without_an_outage_beta_is_not_known() -> None:
    found = beta(pair(), [outage(10, 14, target="spare")])
    assert (found.value, found.note) == (None, "primary has no outage here")
