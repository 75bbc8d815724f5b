"""Minutes that are slow for all calls of a target: whose they are, and what drawing them one by one does not say."""

from pathlib import Path

import numpy as np
from tests.replay.test_models import NAMES, modelled, stands, written

from surefoot.replay.models.models_file import read_models


def spells(length: int) -> list[dict[str, object]]:
    """Three calls a minute for ten hours, every other so many minutes five times as slow."""
    rng = np.random.default_rng(2)
    slow = [5.0 if n // 3 // length % 2 else 1.0 for n in range(1_800)]
    times = rng.lognormal(np.log(0.4), 0.5, 1_800) * slow
    return [{"at": 1_700_000_040.0 + 20 * n, "ttft": ttft, "duration": ttft + 1} for n, ttft in enumerate(times)]


def test_minutes_that_a_longer_spell_made_slow_are_told_among_the_assumptions(tmp_path: Path) -> None:
    models = modelled(tmp_path, spells(30))
    assert models.of["openai-us"].minute_share > 0.3
    text, measured = stands(models, "openai-us", "minutes")
    assert text.endswith("spells that last are played as single slow minutes")
    assert not measured
    by_hand = read_models(written(tmp_path, "[targets.openai-us]\nminute_share = 0.3\n"), NAMES)
    for other in (modelled(tmp_path, spells(30), by_hand), modelled(tmp_path, spells(1))):
        assert other.of["openai-us"].minute_share >= 0.3
        assert not [one for one in other.stand_on if one.part == "minutes"]


def test_whose_minutes_they_are_can_be_said_of_a_share_that_is_measured(tmp_path: Path) -> None:
    given = read_models(
        written(tmp_path, '[targets.openai-us]\nminutes_of = "all"\n[targets.claude-us]\nminutes_of = "all"\n'), NAMES
    )
    models = modelled(tmp_path, spells(1), given)
    assert models.of["openai-us"].minute_share > 0.3
    assert models.of["openai-us"].minutes_of == "all"
    assert "calls of all in a minute" in stands(models, "openai-us", "common")[0]
    assert stands(models, "claude-us", "minutes")[0].startswith("`minutes_of` does nothing")
