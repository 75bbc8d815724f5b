"""Routes: references followed, cycles found, and routes that could never answer refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.config.configuration import Configuration
from surefoot.config.routes import both, without
from surefoot.domain.route import Rung, When

Load = Callable[..., Configuration]
Faults = Callable[..., tuple[str, ...]]
TARGETS = """
[jurisdiction.eu]
processes = ["EU"]
[targets.eu]
provider = "ollama"
model = "m"
place = "eu"
window = 4_000
[targets.us]
provider = "ollama"
model = "m"
place = "us"
[targets.somewhere]
provider = "ollama"
model = "m"
"""


def routes(text: str) -> str:
    return TARGETS + text


def rungs(configuration: Configuration, name: str = "chat") -> tuple[Rung, ...]:
    return next(route.rungs for route in configuration.routes if route.name == name)


def test_another_route_stands_for_its_targets_under_both_conditions(load_text: Load) -> None:
    got = load_text(
        routes("""
[routes.chat]
targets = ["eu", { route = "wide", when = { prompt_tokens = "<= 800" } }]
[routes.wide]
targets = [{ target = "us", when = { prompt_tokens = ">= 100" } }, "somewhere"]
""")
    )
    assert rungs(got) == (Rung("eu"), Rung("us", When(100, 800)), Rung("somewhere", When(0, 800)))


def test_a_target_that_stands_above_is_taken_out_below(load_text: Load) -> None:
    got = load_text(
        routes("""
[routes.chat]
targets = [{ target = "eu", when = { prompt_tokens = "<= 800" } }, { route = "wide" }]
[routes.wide]
targets = ["eu", "us", "somewhere"]
""")
    )
    assert rungs(got) == (Rung("eu", When(0, 800)), Rung("eu", When(801)), Rung("us"), Rung("somewhere"))


def test_a_target_listed_twice_is_a_warning(load_text: Load) -> None:
    got = load_text(routes('[routes.chat]\ntargets = ["eu", "us", "somewhere", "eu"]\n'))
    assert [rung.target for rung in rungs(got)] == ["eu", "us", "somewhere"]
    assert got.warnings == ("routes.chat.targets[3]: has no effect: what it names stands above already",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[routes.chat]\ntargets = ["eu", "somwhere"]',
            'routes.chat.targets[1]: there is no target "somwhere"; did you mean `somewhere`?',
        ),
        ('[routes.chat]\ntargets = ["eu", "b"]\n[routes.b]\ntargets = ["us"]', "that is a route: write { route = "),
        ('[routes.chat]\ntargets = ["eu", { route = "x" }]', 'routes.chat.targets[1]: there is no route "x"'),
        ('[routes.chat]\ntargets = [{ route = "chat" }, "eu"]', "goes round in a circle: chat → chat"),
        ("[routes.chat]\ntargets = []", "routes.chat.targets: is empty"),
        ('[routes.chat]\ntargets = "eu"', "routes.chat.targets: must be a list"),
        ("[routes.chat]\ntargets = [3]", "routes.chat.targets[0]: must be a table"),
        ("[routes.chat]\ntargets = [{}]", "routes.chat.targets[0]: needs exactly one of `target` and `route`"),
        ('[routes.chat]\ntargets = [{ target = "eu", route = "b" }]', "routes.chat.targets[0]: needs exactly one"),
        ('[routes.chat]\ntargets = ["eu"]\norder = "random"', 'routes.chat.order: must be one of "listed", "latency"'),
        ('[routes.chat]\ntargets = ["eu"]\nhedge = 10', "routes.chat.hedge: a share is a percentage"),
        (
            '[routes.chat]\ntargets = ["eu"]\nlimits = { attempts = 0 }',
            "routes.chat.limits.attempts: 0 is out of range",
        ),
        (
            '[routes.chat]\ntargets = ["eu"]\nlimits = { deadline = "2s", idle = "1s", connect = "3s" }',
            "routes.chat.limits.connect: is longer than the deadline",
        ),
        (
            '[routes.chat]\ntargets = [{ target = "eu", when = { prompt_tokens = "few" } }]',
            "routes.chat.targets[0].when.prompt_tokens: a range of tokens",
        ),
        (
            '[routes.chat]\ntargets = [{ target = "eu", when = { tokens = "<= 8" } }]',
            "routes.chat.targets[0].when.tokens: unknown key",
        ),
        ('[routes." "]\ntargets = ["eu"]', 'routes." ": a route\'s name is sent in a header'),
        (
            '[routes.chat]\ntargets = ["us", "somewhere"]\njurisdiction = "eu"',
            "us is not allowed by eu: processes in US; allowed: EU; somewhere is not allowed by eu: does not say",
        ),
        (
            '[routes.chat]\ntargets = ["us"]\njurisdiction = "ue"',
            'routes.chat.jurisdiction: there is no jurisdiction "ue"; known: anywhere, eu',
        ),
        (
            '[routes.chat]\ntargets = ["us"]\nplaces = ["eu"]',
            'routes.chat: `places` is no key any more: write a table [jurisdiction.NAME] with processes = ["EU"], and',
        ),
        (
            '[routes.chat]\ntargets = [{ target = "eu", when = { prompt_tokens = ">= 4000" } }]',
            "routes.chat: can never answer: eu is asked for prompts of >= 4000 tokens, and its window is 4000",
        ),
        (
            """
[routes.chat]
targets = [{ route = "b", when = { prompt_tokens = "> 9" } }]
[routes.b]
targets = [{ target = "us", when = { prompt_tokens = "< 9" } }]
""",
            "routes.chat: can never answer: its conditions exclude one another",
        ),
    ],
)
def test_a_wrong_route_is_refused(faults_of: Faults, text: str, fault: str) -> None:
    faults = faults_of(routes(text))
    assert any(fault in told for told in faults), faults
    assert all(told.startswith(("routes.", 'routes."')) for told in faults)


def test_a_static_target_alone_makes_no_route(faults_of: Faults) -> None:
    faults = faults_of(
        '[targets.sorry]\nprovider = "static"\nmodel = "m"\ntext = "Later."\n[routes.chat]\ntargets = ["sorry"]'
    )
    assert faults == (
        "routes.chat: can never answer: sorry is static, and a route needs at least one real target beside it",
    )


def test_a_longer_cycle_is_told_once_by_its_names(faults_of: Faults) -> None:
    text = "".join(f'[routes.{a}]\ntargets = ["eu", {{ route = "{b}" }}]\n' for a, b in ("ab", "bc", "ca", "da"))
    assert faults_of(routes(text)) == ("routes.c.targets[1]: goes round in a circle: a → b → c → a",)


def test_a_rung_that_is_never_used_is_a_warning_while_others_remain(load_text: Load) -> None:
    got = load_text(routes('[routes.chat]\ntargets = ["eu", "us", "somewhere"]\njurisdiction = "eu"\n'))
    us, somewhere = got.warnings
    assert us == "routes.chat.targets: us is never used here: it is not allowed by eu: processes in US; allowed: EU"
    assert somewhere.startswith(
        "routes.chat.targets: somewhere is never used here: it is not allowed by eu: does not say"
    )
    assert len(rungs(got)) == 3


def test_a_fault_in_a_target_does_not_make_its_route_unreachable(faults_of: Faults) -> None:
    text = TARGETS.replace('place = "eu"', "place = 3")
    faults = faults_of(text + '[routes.chat]\ntargets = ["eu", "us", "somewhere"]\njurisdiction = "eu"\n')
    assert [fault.split(": ")[0] for fault in faults] == ["targets.eu.place"]


RANGES = st.builds(
    lambda least, more: When(least, None if more is None else least + more),
    st.integers(0, 12),
    st.none() | st.integers(0, 12),
)


@given(RANGES, RANGES, st.integers(0, 30))
def test_both_hold_exactly_where_each_holds(one: When, other: When, tokens: int) -> None:
    together = both(one, other)
    assert (together is not None and together.holds(tokens)) == (one.holds(tokens) and other.holds(tokens))


@given(RANGES, st.lists(RANGES, max_size=4), st.integers(0, 30))
def test_what_is_taken_out_is_exactly_what_stands_above(when: When, above: list[When], tokens: int) -> None:
    left = without(Rung("a", when), [Rung("a", taken) for taken in above] + [Rung("b")])
    inside = [rung for rung in left if rung.when.holds(tokens)]
    assert len(inside) == (when.holds(tokens) and not any(taken.holds(tokens) for taken in above))


def test_a_file_with_a_static_target_can_be_loaded(load_text: Load) -> None:
    real = '[targets.a]\nprovider = "openai-compatible"\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\n'
    static = '[targets.sorry]\nprovider = "static"\nmodel = "m"\ntext = "Later."\n'
    loaded = load_text(real + static + '[routes.chat]\ntargets = ["a", "sorry"]\n')
    assert loaded.warnings == ()
    route = loaded.routes[0]
    assert (route.static, [rung.target for rung in route.rungs]) == ("sorry", ["a"])
