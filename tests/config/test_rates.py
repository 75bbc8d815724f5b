"""The weights of coverage: the defaults add up, a user's file goes over them, and a wrong one is told whole."""

from pathlib import Path

import pytest

from surefoot.config.rates import default_rates, read_rates, told_by
from surefoot.errors import ConfigError

HEAD = 'years = 2.0\nunit = "minutes"\nsource = "our pager"\nas_of = "2026-11"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "rates.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read_rates(path)
    told = list(refused.value.faults)
    assert all(fault.startswith(f"{path}: ") for fault in told)
    return [fault.removeprefix(f"{path}: ") for fault in told]


def test_the_defaults_share_out_the_290_incidents_that_were_counted() -> None:
    rates = default_rates()
    assert sum(rate.events for rate in rates.of.values()) == pytest.approx(290)
    assert {rate.years for rate in rates.of.values()} == {3.8}
    assert all(rate.default and rate.source.startswith("https://") and rate.as_of for rate in rates.of.values())
    assert rates.of["server_error"].per_year == pytest.approx(188 / 8 / 3.8)


def test_a_users_rate_replaces_the_default_and_the_rest_stays_marked(tmp_path: Path) -> None:
    rates = read_rates(written(tmp_path, HEAD + '[[rates]]\nmodes = ["silence", "stall"]\nevents = 6\nimpact = 40\n'))
    own = rates.of["silence"]
    assert (own.events, own.years, own.impact, own.per_year) == (3, 2, 40, 1.5)
    assert (own.default, own.source, own.as_of) == (False, "our pager", "2026-11")
    assert [mode for mode, rate in rates.of.items() if not rate.default] == ["silence", "stall"]
    assert list(rates.of) == list(default_rates().of)


def test_an_entry_may_have_a_source_of_its_own(tmp_path: Path) -> None:
    entry = '[[rates]]\nmodes = ["silence"]\nevents = 1\nimpact = 1\nsource = "a guess"\nas_of = "2025-01"\n'
    own = read_rates(written(tmp_path, HEAD + entry)).of["silence"]
    assert (own.source, own.as_of) == ("a guess", "2025-01")


def test_another_unit_is_taken_when_every_mode_has_it(tmp_path: Path) -> None:
    every = ", ".join(f'"{mode}"' for mode in default_rates().of)
    text = HEAD.replace("minutes", "dollars") + f"[[rates]]\nmodes = [{every}]\nevents = 31\nimpact = 9000\n"
    assert read_rates(written(tmp_path, text)).unit == "dollars"


def test_units_are_never_mixed(tmp_path: Path) -> None:
    text = HEAD.replace("minutes", "dollars") + '[[rates]]\nmodes = ["silence"]\nevents = 1\nimpact = 9000\n'
    (told,) = faults(written(tmp_path, text))
    assert told.startswith("unit: the defaults are in minutes; use that, or name these modes too: ")


def test_every_fault_of_form_is_told_at_once_with_its_path(tmp_path: Path) -> None:
    text = (
        'years = 0\nunit = "minutes"\nas_of = "2026-11"\nsorce = "x"\n'
        '[[rates]]\nmodes = []\nevents = -1\nimpact = nan\n[[rates]]\nmodes = ["silence"]\nimpact = "ten"\nevent = 1\n'
    )
    told = faults(written(tmp_path, text))
    for path, words in [
        ("years", "greater than 0"),
        ("source", "is required"),
        ("sorce", "did you mean `source`?"),
        ("rates[0].modes", "at least 1"),
        ("rates[0].events", "greater than or equal to 0"),
        ("rates[0].impact", "finite"),
        ("rates[1].events", "is required"),
        ("rates[1].impact", "valid number"),
        ("rates[1].event", "did you mean `events`?"),
    ]:
        assert any(fault.startswith(f"{path}: ") and words in fault for fault in told), (path, told)
    assert len(told) == 9


def test_unknown_and_repeated_modes_are_refused(tmp_path: Path) -> None:
    entries = (
        '[[rates]]\nmodes = ["silense", "stall"]\nevents = 1\nimpact = 1\n'
        '[[rates]]\nmodes = ["bad_request", "stall"]\nevents = 1\nimpact = 1\n'
    )
    told = faults(written(tmp_path, HEAD + entries))
    assert told[0] == "rates[0].modes[0]: there is no mode `silense` that coverage counts; did you mean `silence`?"
    assert told[1] == "rates[0].modes[1]: `stall` is named 2 times; a mode has one rate"
    assert told[2].startswith("rates[1].modes[0]: there is no mode `bad_request` that coverage counts")
    assert told[3].startswith("rates[1].modes[1]: `stall`")


def test_weights_that_are_all_nothing_are_refused(tmp_path: Path) -> None:
    every = ", ".join(f'"{mode}"' for mode in default_rates().of)
    told = faults(written(tmp_path, HEAD + f"[[rates]]\nmodes = [{every}]\nevents = 31\nimpact = 0\n"))
    assert told == ["rates: no entry has both events and impact above 0: there is nothing to weigh the modes by"]


def test_a_file_that_is_no_file_says_what_to_do(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.toml") == ["there is no such file; without --rates the defaults are taken"]
    assert faults(tmp_path)[0].startswith("cannot be read")
    assert faults(written(tmp_path, "years = = 1"))[0].startswith("is not TOML: ")
    path = tmp_path / "latin.toml"
    path.write_bytes(b'source = "\xe9"')
    assert faults(path) == ["is not UTF-8 at byte 10; save it as UTF-8"]


@pytest.mark.parametrize(
    ("title", "what", "a_mode"),
    [
        ("Elevated errors on Claude Opus 4.7", "elevated errors", "server_error"),
        ("Partial outage causing 500s and 529s", "capacity: rate limits, 529", "overload"),
        ("Haiku Partial Outage", "unavailable, outage, down", "refuse"),
        ("Login failures for our services", "account: login, credit, usage limits", "auth"),
        ("Increased errors during streaming Chat Completions", "streaming", "cut"),
        ("Empty messages in streaming requests", "wrong or empty answers", "empty_answer"),
        ("Elevated 404 errors", "404", "model_gone"),
        ("Increased tail latency", "latency, degraded performance", "slow_first_token"),
    ],
)
def test_a_title_tells_a_group_of_modes_by_the_first_words_that_are_found(title: str, what: str, a_mode: str) -> None:
    told = told_by(title)
    assert told is not None
    assert told.what == what
    assert a_mode in told.modes


def test_a_title_without_any_known_word_tells_nothing() -> None:
    assert told_by("Investigating") is None


def test_every_mode_that_a_title_can_tell_of_has_a_rate() -> None:
    told = {
        title: told_by(title) for title in ("outage", "errors", "latency", "login", "529", "empty", "stream", "404")
    }
    modes = {mode for one in told.values() if one for mode in one.modes}
    assert modes == {mode for mode, rate in default_rates().of.items() if rate.events}
