"""Incidents become outages: of the right targets, in one drawn mode, and nothing is left out without a word."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from tests.replay.planned import ROUTES, TARGETS, configured, incident

from surefoot.config.rates import default_rates, told_by
from surefoot.intake.incident import Incident, Reading, Severity
from surefoot.intake.incidents.reading import How, gather
from surefoot.replay.models.naming import names_model, same_model
from surefoot.replay.outages.planning import Plan, Rules, is_elsewhere, mode_of, plan, strikes

SPAN = (0.0, 100_000.0)


def rules(**changed: object) -> Rules:
    return Rules(**({"reading": Reading.ANY, "seed": 1} | changed))  # type: ignore[arg-type]


def struck(made: Plan) -> list[str]:
    return [one.target for one in made.outages]


def test_an_incident_strikes_the_targets_of_its_provider_and_no_namesake(tmp_path: Path) -> None:
    configuration = configured(tmp_path)
    assert struck(plan([incident()], configuration, SPAN, rules())) == ["openai-us"]
    assert struck(plan([incident(provider="OpenAI")], configuration, SPAN, rules())) == ["openai-us"]
    assert struck(plan([incident(provider="anthropic")], configuration, SPAN, rules())) == ["claude-us"]
    assert struck(plan([incident(provider="azure")], configuration, SPAN, rules())) == ["azure-eu"]


def test_a_failure_domain_makes_a_target_the_providers(tmp_path: Path) -> None:
    targets = TARGETS.replace('cloud = "azure"', 'cloud = "azure", models = "openai"')
    made = plan([incident()], configured(tmp_path, targets=targets), SPAN, rules())
    assert struck(made) == ["azure-eu", "openai-us"]
    assert len({one.mode for one in made.outages}) == 1


def test_an_incident_of_a_model_or_a_region_strikes_only_there(tmp_path: Path) -> None:
    openai = next(target for target in configured(tmp_path).targets if target.name == "openai-us")
    assert strikes(incident(models=("GPT-5 mini",)), openai)
    assert strikes(incident(models=("gpt-4o", "gpt-5-mini")), openai)
    assert not strikes(incident(models=("gpt-5",)), openai)
    assert strikes(incident(regions=("US",)), openai)
    assert not strikes(incident(regions=("EU",)), openai)


def test_a_target_that_declares_no_region_is_struck_wherever_the_incident_was(tmp_path: Path) -> None:
    made = plan([incident(provider="anthropic", regions=("EU",))], configured(tmp_path), SPAN, rules())
    assert struck(made) == ["claude-us"]


@pytest.mark.parametrize(
    ("said", "model", "is_one"),
    [
        ("Claude 3.5 Sonnet", "claude-3-5-sonnet-20241022", True),
        ("Opus 4.8", "claude-opus-4-8", True),
        ("Sonnet", "claude-sonnet-4-5", True),
        ("gpt-4", "gpt-4-0613", True),
        ("gpt-4", "gpt-4.1", False),
        ("gpt-4", "gpt-4o", False),
        ("gpt-4", "gpt-4-turbo", False),
        ("gpt-5", "gpt-5-mini", False),
        ("gpt-5-mini", "gpt-5", False),
        ("", "gpt-5", False),
        ("gpt-4o", "openai/gpt-4o-2024-05-13", True),
    ],
)
def test_a_model_is_known_by_its_words_and_never_by_likeness(said: str, model: str, *, is_one: bool) -> None:
    assert names_model(said, model) is is_one


def test_two_names_of_one_model_have_the_same_words() -> None:
    assert same_model("gpt-4o-2024-08-06", "gpt-4o")
    assert not same_model("gpt-4o", "gpt-4o-mini")


def test_what_is_left_out_is_counted_by_its_reason(tmp_path: Path) -> None:
    listed = [
        incident(id="struck"),
        incident(id="mild", severity=Severity.MINOR),
        incident(id="untold", severity=None),
        incident(id="elsewhere", title="Fine-tuning jobs fail"),
        incident(id="site", title="ChatGPT is down", services=("ChatGPT",)),
        incident(id="open", end=None),
        incident(id="no length", end=1_000.0),
        incident(id="before", start=-500.0, end=-100.0),
        incident(id="after", start=200_000.0, end=200_100.0),
        incident(id="other", provider="elevenlabs"),
    ]
    made = plan(listed, configured(tmp_path), SPAN, rules(reading=Reading.PARTIAL))
    assert [one.incident for one in made.outages] == ["struck"]
    assert made.incidents == 1
    assert made.left_out == {
        "milder than the reading (partial)": 2,
        "about another service than a chat by API": 2,
        "outside the time of the traffic": 2,
        "of unknown length: still open": 1,
        "of unknown length: posted without any": 1,
        "of no target of this configuration": 1,
    }
    assert sum(made.left_out.values()) + made.incidents == len(listed)


def test_a_site_beside_the_api_does_not_take_an_incident_out(tmp_path: Path) -> None:
    listed = [
        incident(id="both", title="Elevated errors in the API and ChatGPT"),
        incident(id="services", title="Errors", services=("API", "ChatGPT")),
        incident(id="plain", title="Elevated errors"),
    ]
    assert plan(listed, configured(tmp_path), SPAN, rules()).incidents == 3
    everything = plan([incident(title="ChatGPT is down")], configured(tmp_path), SPAN, rules(every_service=True))
    assert everything.incidents == 1
    assert any("every service" in sentence for sentence in everything.said)


def test_an_unknown_length_can_be_assumed_and_is_said(tmp_path: Path) -> None:
    listed = [incident(id="open", end=None), incident(id="no length", end=1_000.0), incident(id="known")]
    made = plan(listed, configured(tmp_path), SPAN, rules(unknown_length=600.0))
    assert [(one.start, one.end) for one in made.outages] == [(1_000, 4_600), (1_000, 1_600), (1_000, 1_600)]
    assert "incidents of unknown length (open, or posted without any) last 10m" in made.said


def test_a_forgotten_incident_is_cut_to_the_cap_and_the_cap_is_a_choice(tmp_path: Path) -> None:
    listed = [incident(end=1_000.0 + 3 * 86_400)]
    configuration, span = configured(tmp_path), (0.0, 1e6)
    assert plan(listed, configuration, span, rules()).outages[0].end == 1_000 + 86_400
    assert plan(listed, configuration, span, rules(cap=None)).outages[0].end == 1_000 + 3 * 86_400


def test_an_incident_that_is_on_when_the_traffic_begins_strikes(tmp_path: Path) -> None:
    made = plan([incident(start=-500.0, end=100.0)], configured(tmp_path), SPAN, rules())
    assert [(one.start, one.end) for one in made.outages] == [(-500, 100)]


def test_targets_of_which_no_incident_is_listed_are_named(tmp_path: Path) -> None:
    made = plan([incident(severity=Severity.MINOR)], configured(tmp_path), SPAN, rules(reading=Reading.MAJOR))
    assert made.never_struck == ("azure-eu", "claude-us")
    assert any("azure-eu, claude-us" in sentence for sentence in made.said)


def test_a_time_in_which_perhaps_nobody_watched_is_not_taken_for_quiet_without_a_word(tmp_path: Path) -> None:
    listed = [incident(), incident(provider="anthropic", start=-500.0, end=-100.0)]
    made = plan(listed, configured(tmp_path), SPAN, rules())
    assert made.never_struck == ("azure-eu",)
    assert [sentence for sentence in made.said if sentence.startswith("of claude-us the list has no incident in the")]


def test_a_static_target_is_never_struck(tmp_path: Path) -> None:
    static = TARGETS + '[targets.sorry]\nprovider = "static"\nmodel = "none"\ntext = "Sorry."\n'
    routes = ROUTES.replace('"azure-eu"]', '"azure-eu", "sorry"]')
    made = plan([incident(provider="static")], configured(tmp_path, routes, static), SPAN, rules())
    assert made.outages == ()
    assert "sorry" not in made.never_struck


def test_the_share_of_calls_that_are_struck_is_the_rules(tmp_path: Path) -> None:
    made = plan([incident()], configured(tmp_path), SPAN, rules(failing=0.25))
    assert [one.share for one in made.outages] == [0.25]
    assert "25%" in made.said[0]


def test_the_mode_is_the_same_under_every_reading_and_differs_with_the_seed() -> None:
    listed = [incident(id=str(number)) for number in range(200)]
    rates = default_rates()
    first = [mode_of(one, 1, rates) for one in listed]
    assert first == [mode_of(one, 1, rates) for one in reversed(listed)][::-1]
    assert first != [mode_of(one, 2, rates) for one in listed]


def test_modes_are_drawn_among_those_of_the_title_by_their_weight() -> None:
    rates = default_rates()
    drawn = Counter(mode_of(incident(id=str(number)), 3, rates) for number in range(4_000))
    even = {
        "server_error",
        "bad_gateway",
        "gateway_timeout",
        "error_first",
        "empty",
        "html",
        "plain_error",
        "plain_html",
    }
    assert set(drawn) == even
    assert all(abs(count - 500) < 5 * 500**0.5 for count in drawn.values())


def test_a_title_that_tells_nothing_can_mean_any_mode() -> None:
    rates = default_rates()
    drawn = Counter(mode_of(incident(id=str(number), title="Investigating"), 3, rates) for number in range(4_000))
    expected = sum(drawn.values()) * rates.of["refuse"].events / sum(rate.events for rate in rates.of.values())
    assert abs(drawn["refuse"] - expected) < 5 * expected**0.5
    assert drawn["stale"] == 0


def test_public_incidents_become_outages_and_none_is_lost(tmp_path: Path, real_data: Path) -> None:
    found = gather([str(real_data / "incidents.csv.gz")], How())
    incidents = [one.incident for one in found.incidents]
    span = (datetime(2023, 7, 11, tzinfo=UTC).timestamp(), datetime(2025, 1, 10, tzinfo=UTC).timestamp())
    configuration = configured(tmp_path)
    made = {reading: plan(incidents, configuration, span, rules(reading=reading)) for reading in Reading}
    for one in made.values():
        assert one.incidents + sum(one.left_out.values()) == len(incidents)
        assert {outage.target for outage in one.outages} == {"openai-us", "claude-us"}
    counts = [made[reading].incidents for reading in (Reading.ANY, Reading.PARTIAL, Reading.MAJOR)]
    assert counts == sorted(counts, reverse=True)
    mild, severe = (
        {one.incident: one.mode for one in made[reading].outages} for reading in (Reading.ANY, Reading.MAJOR)
    )
    assert severe.items() <= mild.items()
    every = plan(incidents, configuration, span, rules(every_service=True))
    with duckdb.connect() as base:
        ((bare,),) = base.execute(
            """SELECT count(DISTINCT incident_id) FROM read_csv($file)
            WHERE provider IN ('openai', 'anthropic') AND source = 'FAILS' AND end_utc > start_utc
            AND epoch(start_utc) <= $end AND epoch(end_utc) > $start""",
            {"file": str(real_data / "incidents.csv.gz"), "start": span[0], "end": span[1]},
        ).fetchall()
    assert every.incidents == bare


def test_titles_are_told_apart_as_the_rates_were_counted(real_data: Path) -> None:
    """The words found 290 incidents in the years that the rates count; the choice of services differs in detail."""
    found = gather([str(real_data / "incidents.csv.gz")], How())
    years = (datetime(2023, 1, 1, tzinfo=UTC).timestamp(), datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    counted = Counter(
        told.what
        for one in found.incidents
        if one.source == "FAILS"
        and one.incident.provider in {"openai", "anthropic"}
        and years[0] <= one.incident.start < years[1]
        and not is_elsewhere(one.incident)
        and (told := told_by(one.incident.title))
    )
    defaults = Counter(rate.what for rate in default_rates().of.values())
    for what, share in (("elevated errors", 188 / 290), ("unavailable, outage, down", 55 / 290)):
        assert what in defaults
        assert counted[what] / counted.total() == pytest.approx(share, abs=0.05)
    assert 250 < counted.total() < 330


@pytest.mark.parametrize(
    ("title", "services", "elsewhere"),
    [
        ("High error rates for ChatGPT, APIs, and Sora", ("API", "ChatGPT"), False),
        ("API, ChatGPT & Sora Facing Issues", ("API", "ChatGPT"), False),
        ("Outage of text-davinci-003, Curie models, and DALL-E", ("API",), False),
        ("API services (including Assistants and Fine-tuning) are degraded", ("API",), False),
        ("Elevated errors in the Assistants API", ("API",), True),
        ("Elevated Error Rate for TTS API", ("API",), True),
        ("Outage on fine-tuned Curie models", ("API",), True),
        ("Billing and Usage dashboard data not displaying", ("API",), True),
    ],
)
def test_a_service_that_is_named_beside_the_api_does_not_take_an_incident_out(
    title: str, services: tuple[str, ...], *, elsewhere: bool
) -> None:
    incident = Incident(id="i", provider="openai", start=0.0, end=60.0, severity=None, services=services, title=title)
    assert is_elsewhere(incident) is elsewhere
