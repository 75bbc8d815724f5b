"""Zones, places and jurisdictions of a file, and whether every key is served by every route that it may ask for."""

from collections.abc import Callable

import pytest

from surefoot.config.configuration import Configuration
from surefoot.config.zones import shipped
from surefoot.domain.jurisdiction import Constraints, Contradiction, Deny, Jurisdiction, Obligations, Subjects
from surefoot.domain.place import Confirmation, Fact, Place, Subprocessor, Transfer
from surefoot.domain.route import Rung
from surefoot.policy.zones import Zones

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]
Writing = Callable[[str], str]
ENVIRON = {"KEY": "provider-secret-1", "CLIENT": "client-secret-0123456789"}


def test_every_zone_that_ships_has_a_source_and_a_date_and_is_made_of_what_is_known() -> None:
    ours = shipped()
    codes = ours.countries.codes.split()
    assert len(codes) == len(set(codes)) == 249
    assert all(code.isalpha() and code.isupper() and len(code) == 2 for code in codes)
    told = [(ours.countries.source, ours.countries.as_of), *((z.source, z.as_of) for z in ours.zones.values())]
    assert all(source and as_of >= "2026" for source, as_of in told)
    assert {member for zone in ours.zones.values() for member in zone.members} <= {*codes, *ours.zones}
    assert (len(ours.zones["EU"].members), ours.zones["EEA"].members) == (27, ("EU", "IS", "LI", "NO"))
    assert "US" not in ours.zones["ADEQUATE"].members


def zones_of(load_text: Load, target: Writing, text: str) -> Zones:
    return Zones(load_text(target("") + text).zones)


def test_a_zone_of_ones_own_is_made_of_others_or_lies_within_them(load_text: Load, target: Writing) -> None:
    zones = zones_of(
        load_text,
        target,
        """
[zones.dach]
members = ["de", "AT", "CH"]
[zones.Cellar]
within = ["DE"]
[zones.rack]
within = ["cellar"]
[zones.somewhere]
within = ["EU"]
[zones.both]
within = ["EU", "dach"]
""",
    )
    for inner, outer in (("DE", "EEA"), ("GB", "uk"), ("cellar", "DACH"), ("rack", "EU"), ("CH", "WORLD")):
        assert zones.within([inner], [outer]), (inner, outer)
    for inner, outer in (("DE", "cellar"), ("dach", "EU"), ("somewhere", "DE"), ("US", "ADEQUATE")):
        assert not zones.within([inner], [outer]), (inner, outer)
    assert zones.within(["somewhere"], ["EEA"])
    assert zones.overlap(["somewhere"], ["FR"])
    assert not zones.overlap(["somewhere"], ["US"])
    assert not zones.overlap(["somewhere"], ["rack"])
    assert zones.overlap(["both"], ["AT"])
    assert not zones.overlap(["both"], ["CH"])  # not in the EU
    assert not zones.overlap(["both"], ["FR"])  # not in dach


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[zones.eu]\nmembers = ["DE"]', 'zones.eu: the zone "EU" is there already'),
        ('[zones.DE]\nwithin = ["FR"]', 'zones.DE: the zone "DE" is there already'),
        ('[zones.a]\nmembers = ["Eurrope"]', 'zones.a.members: there is no zone "Eurrope"; known: AD, ADEQUATE'),
        ('[zones.nordics]\nmembers = ["SE"]\n[zones.b]\nwithin = ["nordcs"]', "did you mean `nordics`?"),
        ('[zones.a]\nmembers = ["b"]\n[zones.b]\nmembers = ["a"]', "zones.a: goes round in a circle"),
        ('[zones.a]\nwithin = ["b"]\n[zones.b]\nwithin = ["a"]', "zones.b: goes round in a circle"),
        ('[zones.a]\nwithin = ["DE"]\nmembers = ["DE"]', "zones.a: needs exactly one of `members` and `within`"),
        ("[zones.a]", "zones.a: needs exactly one of `members` and `within`"),
        ("[zones.a]\nmembers = []", "zones.a: is empty: name at least one zone"),
        (
            '[jurisdiction.eu]\nprocesses = ["EUU"]',
            'jurisdiction.eu.processes: there is no zone "EUU"; did you mean `EU`',
        ),
        ('[jurisdiction.eu]\ndeny = { targets = ["aa"] }', 'deny.targets: there is no target "aa"; did you mean `a`?'),
        ('[jurisdiction.eu]\ntransfers = ["SSC"]', 'jurisdiction.eu.transfers[0]: must be one of "none", "adequacy"'),
        ('[jurisdiction.eu]\nzones = ["EU"]', "jurisdiction.eu.zones: unknown key"),
        ("[jurisdiction.anywhere]", 'jurisdiction.anywhere: "anywhere" is built in and binds nothing'),
    ],
)
def test_a_wrong_zone_or_jurisdiction_is_refused(faults_of: Faults, text: str, fault: str) -> None:
    told = faults_of(text)
    assert any(fault in one for one in told), told


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ('"EUR"', 'targets.a.place.processes: there is no zone "EUR"; did you mean `EU`'),
        ("{ processes = [] }", "targets.a.place: `processes` is empty"),
        ('{ seat = "Paris" }', 'targets.a.place.seat: there is no zone "Paris"'),
        ('{ zero_retention = true, retention = "1d" }', "targets.a.place: `zero_retention` and a `retention`"),
        (
            '{ subprocessors = [{ name = "s", seat = "XX" }] }',
            "targets.a.place.subprocessors[0].seat: there is no zone",
        ),
        (
            '{ confirms = [{ fact = "processes" }] }',
            "targets.a.place.confirms[0]: needs exactly one of `header` and `body`",
        ),
        (
            '{ confirms = [{ fact = "processes", header = "x-region", means = { "eu" = "Yurop" } }] }',
            'targets.a.place.confirms[0].means: there is no zone "Yurop"',
        ),
    ],
)
def test_a_wrong_place_is_refused(faults_of: Faults, target: Writing, place: str, fault: str) -> None:
    told = faults_of(target(f"place = {place}"))
    assert any(fault in one for one in told), told


def test_all_that_can_be_declared_is_read(load_text: Load, target: Writing) -> None:
    got = load_text(
        target(
            'place = { processes = ["de"], stores = [], operator = "Alpha GmbH", seat = "DE", transfer = "SCC", '
            'retention = "30d", zero_retention = false, subprocessors = ["One", { name = "Two", seat = "fr" }], '
            'confirms = [{ fact = "processes", header = "X-MS-Region", means = { "Sweden Central" = "SE" } }, '
            '{ fact = "model", body = "a.b", means = { m1 = "m" } }] }'
        )
        + """
[jurisdiction.health]
processes = ["eu"]
stores = ["EEA"]
operators = ["Alpha GmbH"]
seats = ["EU"]
transfers = ["none", "SCC"]
retention = "30d"
subprocessors = ["EU"]
subjects = { keys = [], tenants = ["acme"], classes = ["health"], regions = ["de"] }
deny = { operators = ["Beta"], seats = ["US"], processes = ["cn"], stores = ["CN"], transfers = ["DPF"] }
obligations = { hedge = false, resume = false, keep = false, receipts = false, contradiction = "flag" }
"""
    )
    assert got.targets[0].place == Place(
        ("DE",),
        (),
        "Alpha GmbH",
        "DE",
        Transfer.SCC,
        30 * 86_400.0,
        zero_retention=False,
        subprocessors=(Subprocessor("One"), Subprocessor("Two", "FR")),
        confirms=(
            Confirmation(Fact.PROCESSES, header="x-ms-region", means={"sweden central": "SE"}),
            Confirmation(Fact.MODEL, body=("a", "b"), means={"m1": "m"}),
        ),
    )
    assert got.jurisdictions == (
        Jurisdiction(
            "health",
            Subjects((), ("acme",), ("health",), ("DE",)),
            Constraints(
                ("EU",),
                ("EEA",),
                ("Alpha GmbH",),
                ("EU",),
                (Transfer.NONE, Transfer.SCC),
                30 * 86_400.0,
                subprocessors=("EU",),
            ),
            Deny((), ("Beta",), ("US",), ("CN",), ("CN",), (Transfer.DPF,)),
            Obligations(hedge=False, resume=False, keep=False, receipts=False, contradiction=Contradiction.FLAG),
        ),
    )


TWO = """
[targets.eu]
provider = "ollama"
model = "m"
place = "DE"
[targets.us]
provider = "ollama"
model = "m"
place = "US"
[jurisdiction.eu]
processes = ["EU"]
[jurisdiction.inner]
processes = ["DE"]
"""


def test_a_route_inside_another_brings_its_jurisdiction_to_its_rungs(load_text: Load) -> None:
    got = load_text(
        TWO
        + """
[routes.chat]
targets = [{ route = "strict" }, "us", "eu"]
[routes.strict]
targets = [{ route = "inner" }, "us"]
jurisdiction = "eu"
[routes.inner]
targets = ["eu"]
jurisdiction = "inner"
[routes.open]
targets = ["us"]
jurisdiction = "anywhere"
"""
    )
    chat = next(route for route in got.routes if route.name == "chat")
    assert chat.jurisdiction is None
    assert chat.rungs == (
        Rung("eu", jurisdictions=("inner", "eu")),
        Rung("us", jurisdictions=("eu",)),
        Rung("us"),
        Rung("eu"),
    )
    assert next(route for route in got.routes if route.name == "open").jurisdiction is None


KEYED = """
[[keys]]
name = "app"
env = "CLIENT"
{scope}
[routes.chat]
targets = ["us"]
[routes.eu]
targets = ["eu"]
"""


@pytest.mark.parametrize(
    "scope", ['jurisdictions = ["eu"]', 'classes = ["health"]', 'regions = ["FR"]', 'tenant = "acme"', ""]
)
def test_a_key_that_finds_nobody_on_a_route_is_a_fault(faults_of: Faults, scope: str) -> None:
    subjects = 'subjects = { classes = ["health"], regions = ["EU"], tenants = ["acme"], keys = ["app"] }\n'
    text = TWO.replace(
        "[jurisdiction.inner]", (subjects if "jurisdictions" not in scope else "") + "[jurisdiction.inner]"
    )
    (told,) = faults_of(text + KEYED.format(scope=scope), ENVIRON)
    assert told == (
        'routes.chat: has no target that the key "app" may use, which is bound by eu: us: eu: processes in US; '
        'allowed: EU. Add one, or declare it: unserved = "warning"'
    )


def test_a_key_that_may_not_ask_for_a_route_need_not_be_served_there(load_text: Load) -> None:
    got = load_text(TWO + KEYED.format(scope='jurisdictions = ["eu"]\nroutes = ["eu"]'), ENVIRON)
    assert got.warnings == ()


def test_what_is_declared_unserved_is_a_warning(load_text: Load) -> None:
    text = TWO.replace('processes = ["EU"]', 'processes = ["EU"]\nunserved = "warning"')
    (told,) = load_text(text + KEYED.format(scope='jurisdictions = ["eu"]'), ENVIRON).warnings
    assert told.startswith('routes.chat: has no target that the key "app" may use, which is bound by eu')


@pytest.mark.parametrize(
    ("scope", "fault"),
    [
        (
            'classes = ["helth"]',
            'keys[0].classes: there is no jurisdiction that binds the class "helth"; did you mean `health`?',
        ),
        ('regions = ["Yurop"]', 'keys[0].regions: there is no zone "Yurop"'),
        ('jurisdictions = ["ue"]', "ue"),
    ],
)
def test_a_key_that_names_what_is_not_there_is_a_fault(faults_of: Faults, scope: str, fault: str) -> None:
    text = TWO.replace('["DE"]\n', '["DE"]\nsubjects = { classes = ["health"] }\n')
    told = faults_of(text + KEYED.format(scope=scope), ENVIRON)
    assert any(fault in one for one in told), told


def test_a_subject_that_is_no_key_of_the_file_is_a_warning(load_text: Load) -> None:
    text = TWO.replace('["DE"]\n', '["DE"]\nsubjects = { keys = ["ap"] }\n')
    (told,) = load_text(text + KEYED.format(scope=""), ENVIRON).warnings
    assert told == 'jurisdiction.inner.subjects.keys: there is no key "ap" in this file; did you mean `app`?'


def test_a_target_that_only_an_inner_routes_jurisdiction_forbids_is_told(faults_of: Faults) -> None:
    told = faults_of(
        '[targets.us]\nprovider = "ollama"\nmodel = "m"\nplace = "US"\n'
        '[targets.de]\nprovider = "ollama"\nmodel = "n"\nplace = "DE"\n'
        '[jurisdiction.eu]\nprocesses = ["EU"]\n[jurisdiction.usa]\nprocesses = ["US"]\n'
        '[routes.strict]\ntargets = ["us", "de"]\njurisdiction = "eu"\n'
        '[routes.outer]\ntargets = [{ route = "strict" }]\njurisdiction = "usa"\n'
    )
    assert told == (
        (
            "routes.outer: can never answer: us is not allowed by eu: processes in US; allowed: EU; "
            "de is not allowed by usa: processes in DE; allowed: US"
        ),
    )
