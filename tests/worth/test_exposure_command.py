"""`surefoot exposure` as its user meets it: the same bytes for the same seed, every number with its n."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tests.config.test_cli_commands import surefoot

from surefoot.evidence import burn_rate, detection_seconds, wilson
from surefoot.facts import Facts, read, write
from surefoot.report import exposed
from surefoot.report.exceedance import svg
from surefoot.worth.reading import read_risks
from surefoot.worth.sheet import sheet_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "risk.toml"
HEAD = 'source = "our books"\nas_of = "2026-11"\n'


@pytest.fixture(scope="module")
def found() -> Facts:
    return sheet_of(read_risks(EXAMPLE), 20_000, 3)


def made(folder: Path, text: str, years: int = 10_000, seed: int = 3) -> Facts:
    path = folder / "risk.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    return sheet_of(read_risks(path), years, seed)


def value(facts: Facts, name: str) -> float:
    told = facts.named(name).value
    assert told is not None
    return told


def printed(facts: Facts) -> str:
    out = io.StringIO()
    for table in exposed.tables(facts, 150):
        Console(file=out, width=150).print(table)
    return out.getvalue()


def test_every_number_has_its_n_its_method_and_its_interval_or_why_there_is_none(found: Facts) -> None:
    assert len({fact.name for fact in found.facts}) == len(found.facts)
    for fact in found.facts:
        assert fact.method, fact.name
        assert fact.n or fact.note, fact.name
        if fact.low is None or fact.high is None:
            assert fact.note or fact.name.startswith("input."), fact.name
        else:
            assert fact.value is not None
            assert fact.low <= fact.value <= fact.high, fact.name
    assert all("seed" in fact.method for fact in found.facts if fact.name.startswith(("loss.", "saving.", "months.")))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(found: Facts) -> None:
    assert write(sheet_of(read_risks(EXAMPLE), 20_000, 3)) == write(found)
    assert write(sheet_of(read_risks(EXAMPLE), 20_000, 4)) != write(found)


def test_exposure_is_the_loss_of_all_parts_less_credits_that_both_arms_have(found: Facts) -> None:
    for arm in ("without", "with"):
        parts = [value(found, f"loss.{arm}.{part}") for part in ("penalties", "margin", "response", "impact", "delay")]
        assert value(found, f"loss.{arm}.mean") == pytest.approx(sum(parts))
        exposure = value(found, f"loss.{arm}.mean") - value(found, "credits.primary")
        assert value(found, f"exposure.{arm}") == pytest.approx(exposure)
    saved = value(found, "loss.without.mean") - value(found, "loss.with.mean")
    assert value(found, "saving.mean") == pytest.approx(saved)
    assert value(found, "saving.net") == pytest.approx(saved - 18_000)


def test_the_means_are_the_closed_forms(found: Facts) -> None:
    outage, throttling = read_risks(EXAMPLE).stake.hazards[:2]
    minutes = outage.rate.mean * outage.minutes.mean * 0.7 + throttling.rate.mean * throttling.minutes.mean * 0.25
    assert value(found, "minutes.without") == pytest.approx(minutes, rel=0.03)
    kept = outage.rate.mean * (1 - outage.coverage.mean) * outage.minutes.mean * 0.7
    assert value(found, "minutes.with") > kept
    revenue = read_risks(EXAMPLE).stake.revenue.mean
    assert value(found, "loss.without.margin") == pytest.approx(minutes * revenue * 0.6, rel=0.03)
    assert value(found, "quarter.without.mean") == pytest.approx(minutes / 4 * revenue / 12e6, rel=0.03)


def test_more_doubt_about_the_same_coverage_widens_the_interval_of_what_is_saved(tmp_path: Path) -> None:
    risk = '[[risks]]\nname = "a"\nrate = "9/year"\nimpact = "$1_000/incident"\ncoverage = { k = %d, n = %d }\n'
    few, many = (made(tmp_path, risk % counts).named("saving.mean") for counts in ((8, 10), (800, 1_000)))
    widths = [(fact.high or 0) - (fact.low or 0) for fact in (few, many)]
    assert widths[0] > 4 * widths[1]


def test_the_exceedance_falls_with_the_amount_and_ends_where_hardly_a_year_is_left(found: Facts) -> None:
    for arm in ("without", "with"):
        start = f"loss.{arm}.exceeds."
        curve = [(float(f.name.removeprefix(start)), f.value or 0) for f in found.facts if f.name.startswith(start)]
        assert len(curve) > 20
        assert curve == sorted(curve, key=lambda point: (point[0], -point[1]))
        assert [share for _, share in curve] == sorted((share for _, share in curve), reverse=True)
        assert curve[-1][1] < 0.002


def test_months_as_they_were_are_counted_under_each_reading(found: Facts) -> None:
    counts = [value(found, f"history.standard.99.5.{reading}.months") for reading in ("any", "partial", "major")]
    assert counts == [4, 1, 0]
    share = found.named("history.standard.99.5.any")
    assert (share.low, share.high) == wilson(4, 6)
    # 98.91 and 97.85 below 99 %, 99.30 and 99.12 below 99.5 %, 99.72 below 99.9 %, of 120,000 each
    assert value(found, "history.standard.penalties.any") == 2 * 30_000 + 2 * 12_000 + 6_000
    assert value(found, "history.primary.credits.any") == 2 * 7_500 + 3 * 3_000


def test_the_error_budget_and_its_alerts_are_those_of_the_workbook(found: Facts) -> None:
    assert value(found, "budget.minutes") == pytest.approx(43.2)
    used = value(found, "minutes.without") * 30 / 365.25 / 43.2
    assert value(found, "budget.used.without") == pytest.approx(used)
    assert value(found, "burn.1h.rate") == pytest.approx(burn_rate(0.02, 720, 1)) == pytest.approx(14.4)
    assert value(found, "burn.6h.detect.10%") == pytest.approx(detection_seconds(0.999, 0.1, 6 * 3600, 6))
    assert found.named("burn.1h.detect.1%").value is None


def test_without_promises_vendors_revenue_or_months_only_what_is_there_is_shown(tmp_path: Path) -> None:
    facts = made(tmp_path, '[[risks]]\nname = "a"\nrate = "1/year"\nimpact = "$1_000/incident"\n')
    text = printed(facts)
    assert "Loss of a year" in text
    for word in ("credits of", "Months", "Error budget", "quarter", "penalties"):
        assert word not in text
    assert value(facts, "loss.without.zero") == pytest.approx(0.368, abs=0.02)
    assert list(exposed.answer(facts)) == [
        "Not detectable: the interval of what the fallback saves includes 0.",
        "  No risk is covered: tell coverage, or take it from a replay.",
    ]


def test_a_file_in_which_nothing_ever_happens_says_so_and_has_no_curve(tmp_path: Path) -> None:
    facts = made(tmp_path, '[[risks]]\nname = "a"\nrate = "0/year"\nimpact = "$1_000/incident"\n')
    assert svg(facts) == ""
    (line,) = exposed.answer(facts)
    assert line.startswith("Nothing was lost in any simulated year")


def test_minutes_that_cost_nothing_say_what_is_missing(tmp_path: Path) -> None:
    facts = made(tmp_path, '[[risks]]\nname = "a"\nrate = "5/year"\nlasts = "3h"\n')
    assert "nothing says what they cost" in list(exposed.answer(facts))[1]
    assert "minutes lost" in printed(facts)
    assert "e+0" not in printed(facts)


def test_the_command_prints_tables_keeps_facts_and_a_chart_that_loads_nothing(tmp_path: Path) -> None:
    done = surefoot("exposure", "-c", str(EXAMPLE), "--years", "10000", "-o", str(tmp_path / "kept"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "made up, as an example" in done.stdout
    assert "expected, less what it costs" in done.stdout
    assert "10,000 simulated years, seed 7" in " ".join(done.stdout.split())
    facts = read((tmp_path / "kept" / "facts.json").read_bytes())
    assert facts.named("loss.without.mean").n == 10_000
    chart = (tmp_path / "kept" / "exceedance.svg").read_text()
    assert chart.startswith("<svg")
    assert 'href="http' not in chart
    as_json = surefoot("exposure", "-c", str(EXAMPLE), "--years", "10000", "--json")
    assert read(as_json.stdout.encode()) == facts


def test_a_file_with_faults_exits_with_2_and_tells_them_all(tmp_path: Path) -> None:
    path = tmp_path / "risk.toml"
    path.write_text('source = "x"\nrisk = 1\n[[risks]]\nnme = "a"\n')
    done = surefoot("exposure", "-c", str(path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 4
    assert f"{path}: risk: unknown key; did you mean `risks`?" in done.stderr
