"""The impact matrix as SVG: well formed, every candidate in it, nothing outside of it, the same bytes again."""

from itertools import pairwise
from xml.etree import ElementTree as ET

from surefoot.candidates.placing import Limits, Placed, placed
from surefoot.facts import Fact
from surefoot.report.matrix import PAPER, _Block, _spread, _ticks, matrix

LIMITS = Limits(2.0, 0.95)
SVG = "{http://www.w3.org/2000/svg}"


def fact(value: float | None, low: float | None = None, high: float | None = None, note: str = "") -> Fact:
    return Fact(name="x", value=value, unit="", n=500, low=low, high=high, note=note)


def put(name: str, p99: Fact, coverage: Fact, weekly: int = 12) -> Placed:
    return placed(name, (p99, coverage), LIMITS, (weekly, 12))


FOUR = [
    put("single-cloud", fact(3.1, 2.6, 4.4), fact(0.62, 0.4, 0.75)),
    put("multi & <cloud>", fact(1.4, 1.1, 1.7), fact(0.985, 0.955, 0.995)),
    put("edge", fact(1.5, 1.2), fact(0.98, 0.9, 0.99), weekly=2),
    put("few", fact(None, note="34 such calls: a p99 needs 100"), fact(0.98, 0.9, 0.99)),
]


def test_it_is_well_formed_and_holds_every_candidates_name_and_verdict() -> None:
    root = ET.fromstring(matrix(FOUR, LIMITS))  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    title, told = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert told is not None
    assert (title.text or "").endswith("limits 2 s and 95 %")
    assert told.text == (
        "single-cloud: p99 3,100 ms (95 %: 2,600 … 4,400), coverage 62.0 % (95 %: 40.0 … 75.0 %), meets neither limit; "
        "multi & <cloud>: p99 1,400 ms (95 %: 1,100 … 1,700), coverage 98.5 % (95 %: 95.5 … 99.5 %), "
        "meets both limits; "
        "edge: p99 1,500 ms (95 %: 1,200 … none), coverage 98.0 % (95 %: 90.0 … 99.0 %), undecided, provisional; "
        "few: not placed: 34 such calls: a p99 needs 100"
    )


def test_who_cannot_see_it_is_given_its_title_and_what_it_says() -> None:
    root = ET.fromstring(matrix(FOUR, LIMITS))  # noqa: S314 - our own
    assert root.get("role") == "img"
    ids = {one.get("id"): one.tag for one in root}
    assert ids[root.get("aria-labelledby")] == f"{SVG}title"
    assert ids[root.get("aria-describedby")] == f"{SVG}desc"


def test_everything_is_drawn_on_paper_so_that_a_dark_page_does_not_swallow_it() -> None:
    text = matrix(FOUR, LIMITS)
    root = ET.fromstring(text)  # noqa: S314 - our own
    paper = next(one for one in root.iter(f"{SVG}g") if one.get("id") == "paper")
    assert f"fill: {PAPER}" in ET.tostring(paper, encoding="unicode")
    assert text.index('id="paper"') < text.index('id="axes_1"')  # behind all else


def test_a_short_axis_has_ticks_enough_to_be_read() -> None:
    assert _ticks(1.0, 100.0) == [1, 2, 5, 10, 20, 50, 100]
    assert _ticks(8.5, 34.0) == [10, 15, 20, 30]


def test_who_has_no_p99_is_named_and_not_drawn() -> None:
    text = matrix(FOUR, LIMITS)
    assert [f'id="candidate-{number}"' in text for number in range(4)] == [True, True, True, False]
    assert "<!-- few -->" in text


def test_nobody_at_all_is_drawn_without_a_fault() -> None:
    ET.fromstring(matrix(FOUR[3:], LIMITS))  # noqa: S314 - our own


def test_undecided_is_hollow_and_decided_is_not() -> None:
    root = ET.fromstring(matrix(FOUR, LIMITS))  # noqa: S314 - our own
    filled = {}
    for number in range(3):
        group = next(one for one in root.iter(f"{SVG}g") if one.get("id") == f"candidate-{number}")
        filled[number] = "fill: #ffffff" not in ET.tostring(group, encoding="unicode")
    assert filled == {0: True, 1: True, 2: False}


def test_it_points_at_nothing_outside_of_itself() -> None:
    text = matrix(FOUR, LIMITS)
    root = ET.fromstring(text)  # noqa: S314 - our own
    links = [value for one in root.iter() for name, value in one.attrib.items() if name.endswith("href")]
    assert links
    assert all(value.startswith("#") for value in links)
    assert "<script" not in text


def test_the_same_candidates_give_the_same_bytes() -> None:
    assert matrix(FOUR, LIMITS) == matrix(FOUR, LIMITS)


def test_names_beside_the_picture_never_touch_one_another() -> None:
    blocks = [_Block(number, ("name", "words"), 1, at) for number, at in enumerate((4.0, 4.0, 3.95, 0.1, 0.0, 0.0))]
    laid = _spread(blocks, 4.5, 1.0)
    edges = [(middle + one.high / 2, middle - one.high / 2) for one, middle in laid]
    assert all(lower > upper for (_, lower), (upper, _) in pairwise(edges))
    assert edges[0][0] <= 4.5
    assert edges[-1][1] >= 1.0
