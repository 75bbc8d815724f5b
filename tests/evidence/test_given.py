"""What no function takes: every number of every function, replaced by what is none."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from inspect import signature
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from surefoot import evidence
from surefoot.errors import EvidenceError, SurefootError
from surefoot.evidence import Between, Cases, Events, Hazard, Known, Risk, Stake

FIRST = (0.5, 0.3, 0.2)
STEPS = [(99.9, 10.0)]
WEEKS = [(0, 3_000_000)]
HAZARD: dict[str, Any] = {
    "rate": Events(3, 2),
    "minutes": Between(5, 50),
    "struck": 0.5,
    "response": Known(5),
    "impact": Known(5),
    "coverage": Cases(3, 4),
    "residual_minutes": 1.0,
    "residual_cost": 1.0,
}
BUILT = {"Risk", "Known", "Between", "Events", "Cases", "Hazard", "Delay", "Stake"}
"""What is built of numbers, besides functions."""

CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "wilson": ((3, 10, 0.9), {}),
    "clopper_pearson": ((3, 10, 0.9), {}),
    "garwood": ((3, 0.9), {}),
    "event_rate": ((3, 2.0, 0.9), {}),
    "newcombe": (((3, 10), (4, 10), 0.9), {}),
    "mean": (([1.0, 2.0], 0.9), {}),
    "mean_difference": (([1.0, 2.0], [1.0, 3.0], 0.9), {}),
    "percentile": (([1.0, 2.0], 0.5, 0.9), {}),
    "quantile_ranks": ((200, 0.5, 0.9), {}),
    "coverage": (([("a", 1.0, 1.0, 0.5)], 0.5), {}),
    "coverage_interval": (([("a", 1.0, 1.0, 1, 2)],), {"years": 1.0, "seed": 1}),
    "common_cause": ((0.1, 0.1, 1, 2), {}),
    "corrected_histogram": (([1.0, 2.0], 1.0), {}),
    "inter_token_latency": ((0.1, 1.0, 10), {}),
    "burn_rate": ((0.02, 720, 1), {}),
    "detection_seconds": ((0.999, 1.0, 3600, 14.4), {}),
    "service_credit": ((STEPS, 99.0), {}),
    "uptime_and_reachability": (([[True, False]],), {}),
    "reachability_by_vantage": (([[True, False]],), {}),
    "union": (([(0, 1)],), {}),
    "length": (([(0, 1)],), {}),
    "common": (([(0, 1)], [(0, 2)]), {}),
    "without": (([(0, 1)], [(0, 2)]), {}),
    "availability": (([(0, 1)], [(0, 2)]), {}),
    "availability_interval": (([(0, 1)], WEEKS), {"seed": 1, "confidence": 0.9}),
    "mtbf": ((3, 100.0, 0.9), {}),
    "mttr": (([1.0, 2.0], 0.9), {}),
    "lift": (([(0, 1)], [(0, 2)], WEEKS), {}),
    "lift_interval": (([(0, 1)], [(0, 2)], WEEKS), {"seed": 1, "confidence": 0.9}),
    "fallback_worth": (([(0, 1)], [(0, 2)], WEEKS), {"lag": 1.0, "seed": 1}),
    "Risk": ((1.0, 1.0, 2.0, 0.5, 0.1), {}),
    "expected_annual_loss": ((Risk(1, 1, 2),), {}),
    "annual_loss": ((Risk(1, 1, 2),), {"years": 100, "seed": 1}),
    "cvar": ((list(range(2_000)), 0.9), {}),
    "cost_per_recovery": ((100.0, 3), {}),
    "Known": ((1.0,), {}),
    "Between": ((1.0, 2.0), {}),
    "Events": ((1, 2.0), {}),
    "Cases": ((1, 2), {}),
    "cases_of": ((0.5, 0.4, 0.6, 100, 0.9), {}),
    "Hazard": ((), HAZARD),
    "Delay": ((), {"chance": Known(0.1), "chance_kept": Cases(0, 9), "days": Known(3), "cost_per_day": 5.0}),
    "Stake": ((), {"hazards": [Hazard(**HAZARD)], "revenue": Known(1), "margin": 0.5}),
    "exposure": ((Stake(hazards=[Hazard(**HAZARD)]),), {"worlds": 5, "each": 1, "seed": 1}),
    "mean_over_worlds": (([1.0, 2.0, 3.0, 5.0], 2, 0.9), {}),
    "share_sample": ((0.5, 0.1, 0.8), {}),
    "share_detectable": ((100, 0.5, 0.8), {}),
    "nps": ((5, 3, 2), {}),
    "nps_sample": ((5.0, FIRST, 0.8), {}),
    "nps_detectable": ((100, FIRST, 0.8), {}),
    "nps_interval": ((5, 3, 2), {}),
    "nps_difference": (((5, 3, 2), (4, 4, 4)), {}),
}
"""A good call of each function."""

MAY_BE_EMPTY = {
    *(("union", 0), ("length", 0), ("common", 0), ("common", 1), ("without", 0), ("without", 1), ("availability", 0)),
    *(("availability_interval", 0), ("lift", 0), ("lift", 1), ("lift_interval", 0), ("lift_interval", 1)),
    *(("fallback_worth", 0), ("fallback_worth", 1)),
}
"""Sets of spans: nothing is a set too, of somebody who was never down."""

NUMBERS = [
    *((name, position) for name, (args, _) in CALLS.items() for position in range(len(args))),
    *((name, keyword) for name, (_, named) in CALLS.items() for keyword in named),
]
NOT_NUMBERS = [True, "3", None, nan, inf, -inf, -1.5, 1j, Decimal(1), [], {}, np.True_, 10**400, [[]], [nan], ["3"]]


def test_every_public_function_is_called_here() -> None:
    functions = {name for name in evidence.__all__ if name[0].islower()} | BUILT
    assert functions == set(CALLS)
    assert all(hasattr(evidence, name) for name in evidence.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_a_good_call_is_answered(name: str) -> None:
    args, named = CALLS[name]
    getattr(evidence, name)(*args, **named)


@pytest.mark.parametrize(("name", "which"), NUMBERS)
def test_what_is_no_number_is_refused_everywhere_with_one_error(name: str, which: int | str) -> None:
    args, named = CALLS[name]
    for wrong in NOT_NUMBERS:
        if isinstance(wrong, list) and not wrong and (name, which) in MAY_BE_EMPTY:
            continue
        bad_args = tuple(wrong if position == which else arg for position, arg in enumerate(args))
        bad_named = {keyword: wrong if keyword == which else value for keyword, value in named.items()}
        with pytest.raises(EvidenceError):
            getattr(evidence, name)(*bad_args, **bad_named)


@pytest.mark.parametrize(
    ("name", "position", "row"),
    [
        *(("coverage", 0, [row]) for row in [(1, 1.0, 1.0, 0.5), ("a", 1.0, 1.0), ("a", "1", 1, 1), ("a", 1, 1, True)]),
        *(("coverage_interval", 0, [row]) for row in [(1, 1, 1, 1, 2), ("a", 1, 1, 1), ("a", 1, 1, 1.5, 2), "abcde"]),
        *(("newcombe", 0, pair) for pair in [(1,), (1, 2, 3), (True, 2), ("1", 2), (3, 2)]),
        *(
            ("union", 0, spans)
            for spans in [[(0,)], [(1, 0)], [("0", 1)], [(True, 2)], [(0, nan)], [(0, 1, 2)], ["01"]]
        ),
        *(("service_credit", 0, steps) for steps in [[("99", 1)], [(99.0, nan)], [(99.0, True)]]),
        *(("nps_sample", 1, shares) for shares in [("a", "b"), (nan, 0.5), (True, False), (0.25,) * 4, "ab"]),
        *(("percentile", 0, values) for values in [[True, 1.0], ["1"], np.ones((2, 2)), np.array([True]), "12"]),
    ],
)
def test_a_row_that_is_none_is_refused(name: str, position: int, row: Any) -> None:
    args, named = CALLS[name]
    with pytest.raises(EvidenceError):
        getattr(evidence, name)(*(row if index == position else arg for index, arg in enumerate(args)), **named)


def test_numbers_of_numpy_and_fractions_are_numbers() -> None:
    three: Any = np.int32(3)
    half: Any = Fraction(1, 2)
    assert evidence.wilson(three, 10, half) == evidence.wilson(3, 10, 0.5)
    assert evidence.garwood(three, float(np.float32(0.5))) == evidence.garwood(3, 0.5)
    assert evidence.percentile(np.array([3, 1, 2]), 0.5) == evidence.percentile([3, 1, 2], 0.5)
    assert evidence.nps(three + 2, 3, 2) == 30


def test_what_it_was_given_is_not_changed() -> None:
    values = np.array([3.0, 1.0, 2.0])
    evidence.percentile(values, 0.5)
    evidence.corrected_histogram(values, 1.0)
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_the_error_is_ours_and_a_value_error() -> None:
    assert issubclass(EvidenceError, SurefootError)
    assert issubclass(EvidenceError, ValueError)
    with pytest.raises(ValueError, match="k must not exceed n"):
        evidence.wilson(3, 2)


def test_the_message_names_what_it_was_given_and_what_it_has_to_be() -> None:
    with pytest.raises(EvidenceError, match=r"a confidence of 95: it has to be above 0 and below 1"):
        evidence.wilson(1, 2, 95)


SIGNATURES: dict[Callable[..., Any], str] = {
    evidence.wilson: "k n confidence=0.95",
    evidence.clopper_pearson: "k n confidence=0.95",
    evidence.garwood: "count confidence=0.95",
    evidence.coverage: "rows threshold=0.5",
    evidence.coverage_interval: "rows *years *seed",
    evidence.common_cause: "q beta needed=1 of=2",
    evidence.quantile_ranks: "n q=0.99 confidence=0.95",
    evidence.corrected_histogram: "values expected_interval",
    evidence.burn_rate: "share period_hours window_hours",
    evidence.detection_seconds: "slo error_rate window_seconds burn",
    evidence.service_credit: "steps uptime_percent",
    evidence.Risk: "rate low high coverage=0.0 residual=0.0",
    evidence.expected_annual_loss: "risk",
    evidence.annual_loss: "risk *years *seed",
    evidence.cost_per_recovery: "spend recovered",
    evidence.availability: "down watched",
    evidence.availability_interval: "down watched *seed *confidence=0.95",
    evidence.mtbf: "incidents watched confidence=0.95",
    evidence.mttr: "durations confidence=0.95",
    evidence.lift: "first second watched",
    evidence.lift_interval: "first second watched *seed *confidence=0.95",
    evidence.fallback_worth: "primary fallback watched *lag *seed",
    evidence.nps: "promoters passives detractors",
    evidence.nps_sample: "change shares power=0.8",
    evidence.nps_detectable: "n_per_arm shares power=0.8",
    evidence.uptime_and_reachability: "matrix",
    evidence.inter_token_latency: "ttft e2e tokens",
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__name__)
def test_the_public_signatures_stay_as_they_were_promised(function: Callable[..., Any]) -> None:
    told = []
    for one in signature(function).parameters.values():
        default = "" if one.default is one.empty else f"={one.default}"
        told.append(("*" if one.kind is one.KEYWORD_ONLY else "") + one.name + default)
    assert " ".join(told) == SIGNATURES[function]
