"""The impact matrix as SVG: p99 of the fallback to the right, risk-weighted coverage upwards, both with intervals.

It is drawn on paper of its own, so that it can be read on a light page and on a dark one.

A candidate is told by colour and by shape (Okabe & Ito's colours, which the colour-blind can tell apart), and named in
a column beside the picture, where names cannot overlap. Hollow is undecided, dashed is provisional.
Knows lines, bars and letters. Must never: compute a number, or point at anything outside itself.
"""

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from surefoot.candidates.placing import Limits, Placed, Side
from surefoot.report import shown
from surefoot.report.charts import FAINT, INK, WITH, svg

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p", "h")
SOFT = "#5c6866"
PAPER = "#ffffff"

_WIDE, _LEAST_HIGH = 9.6, 5.0
_LEFT, _RIGHT, _BOTTOM, _TOP = 0.75, 6.35, 0.95, 0.45
"""Inches: the axes' sides from the left edge, and what is below and above them."""
_COLUMN = 7.1
"""Inches from the left edge at which names begin."""
_LETTERS = 32
_LINE, _GAP = 0.19, 0.14
"""Inches of a line of letters, and between two names."""
_STEPS = ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))
"""Of a decade: where ticks may be, and where they may be if these are too few."""
_FEWEST_TICKS = 3


class _Block(NamedTuple):
    """A name and its words, in the column."""

    number: int
    lines: tuple[str, ...]
    names: int
    """How many of the lines are the name."""
    at: float
    """Where its middle would be best, in inches from the bottom."""

    @property
    def high(self) -> float:
        return len(self.lines) * _LINE


def matrix(placed: Sequence[Placed], limits: Limits) -> str:
    """The picture. Candidates without a p99 or a coverage are named with the reason, and not drawn."""
    blocks = [_block(number, one) for number, one in enumerate(placed)]
    needed = sum(one.high + _GAP for one in blocks) + _BOTTOM + _TOP
    high = max(_LEAST_HIGH, needed)
    figure = Figure(figsize=(_WIDE, high))
    figure.add_artist(Rectangle((0, 0), 1, 1, facecolor=PAPER, linewidth=0, zorder=-1, gid="paper"))
    axes = figure.add_axes((_LEFT / _WIDE, _BOTTOM / high, (_RIGHT - _LEFT) / _WIDE, (high - _BOTTOM - _TOP) / high))
    drawn = [(number, one) for number, one in enumerate(placed) if one.drawn]
    _ground(axes, [one for _, one in drawn], limits)
    for number, one in drawn:
        _box(axes, one, number)
    heights = {number: _inches(axes, one, high) for number, one in drawn}
    blocks = [one._replace(at=heights.get(one.number, 0.0)) for one in blocks]
    for block, middle in _spread(blocks, high - _TOP, _BOTTOM):
        _named(figure, block, middle, placed[block.number])
    text = svg(figure)
    begin = text.index(">")
    role = ' role="img" aria-labelledby="matrix-title" aria-describedby="matrix-desc"'
    return f"{text[:begin]}{role}>\n{_said(placed, limits)}{text[begin + 1 :]}"


def words_of(one: Placed) -> str:
    """The verdict in a few words, and why there is none."""
    if not one.drawn:
        missing = one.p99.note if one.p99_side is Side.UNKNOWN else one.coverage.note
        return f"not placed: {missing}"
    return f"{one.verdict}, provisional" if one.provisional else one.verdict


def _said(placed: Sequence[Placed], limits: Limits) -> str:
    """For who cannot see it."""
    lines = [
        f"{one.name}: p99 {shown.time_of(one.p99)} (95 %: {shown.times_between(one.p99) or 'none'}), coverage"
        f" {shown.share_of(one.coverage)} (95 %: {shown.shares_between(one.coverage) or 'none'}), {words_of(one)}"
        if one.drawn
        else f"{one.name}: {words_of(one)}"
        for one in placed
    ]
    title = (
        "Impact matrix: p99 of the fallback to the right, risk-weighted coverage upwards;"
        f" limits {shown.tick_of(limits.p99)} and {100 * limits.coverage:g} %"
    )
    said = escape("; ".join(lines))
    return f'<title id="matrix-title">{escape(title)}</title>\n<desc id="matrix-desc">{said}</desc>'


def _ground(axes: Axes, drawn: Sequence[Placed], limits: Limits) -> None:
    """Axes, limits and the quadrant that is good on both."""
    lowest, highest = _ends_of_p99(drawn, limits)
    axes.set_xscale("log")
    axes.set_xlim(lowest, highest)
    axes.xaxis.set_major_locator(FixedLocator(_ticks(lowest, highest)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: shown.tick_of(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    least = min([limits.coverage, *(end for one in drawn if (end := one.coverage.low) is not None)])
    bottom = max((int(least * 10) - 1) / 10, 0.0)
    axes.set_ylim(bottom - 0.02 * (bottom == 0), 1 + 0.03 * (1 - bottom))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.yaxis.set_major_locator(FixedLocator(_shares(bottom)))
    axes.fill_between([lowest, limits.p99], limits.coverage, 2, color=WITH, alpha=0.08, linewidth=0)
    axes.axvline(limits.p99, color=INK, linewidth=1.1)
    axes.axhline(limits.coverage, color=INK, linewidth=1.1)
    axes.annotate(
        f"limit {shown.tick_of(limits.p99)}", (limits.p99, 1), (0, 4), xycoords=axes.get_xaxis_transform(),
        textcoords="offset points", ha="center", va="bottom", fontsize=9, color=INK,
    )  # fmt: skip
    axes.annotate(
        f"limit\n{100 * limits.coverage:g} %", (1, limits.coverage), (4, 0), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", ha="left", va="center", fontsize=8, color=INK,
    )  # fmt: skip
    axes.grid(color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("p99 of the fallback, end to end (log scale; bar: 95 % interval)", color=INK)
    axes.set_ylabel("risk-weighted coverage (bar: 95 % interval)", color=INK)
    axes.annotate(
        "green: meets both limits    hollow: undecided    dashed: provisional, fewer than 3 weekly runs",
        (0, 0), (0, -40), xycoords="axes fraction", textcoords="offset points", va="top", fontsize=8.5, color=SOFT,
    )  # fmt: skip


def _ends_of_p99(drawn: Sequence[Placed], limits: Limits) -> tuple[float, float]:
    """Left and right end of the axis: all intervals and the limit, with room around."""
    ends = [limits.p99]
    for one in drawn:
        ends += [end for end in (one.p99.low, one.p99.value, one.p99.high) if end]
    room = max((max(ends) / min(ends)) ** 0.12, 1.25)
    return min(ends) / room, max(ends) * room


def _ticks(lowest: float, highest: float) -> list[float]:
    """Round times between the ends of the axis; finer ones where these are too few to read it by."""
    found: list[float] = []
    for steps in _STEPS:
        found = [at for power in range(-3, 5) for step in steps if lowest <= (at := step * 10.0**power) <= highest]
        if len(found) >= _FEWEST_TICKS:
            break
    return found


def _shares(bottom: float) -> list[float]:
    step = 0.2 if bottom < 0.3 else 0.1 if bottom < 0.8 else 0.05  # noqa: PLR2004 - as many as can be read
    first = round(bottom / step + 0.499999)
    return [share * step for share in range(first, round(1 / step) + 1)]


def _box(axes: Axes, one: Placed, number: int) -> None:
    """Both intervals as bars, and the value."""
    color = COLORS[number % len(COLORS)]
    style = "--" if one.provisional else "-"
    x, y = one.p99.value or 0.0, one.coverage.value or 0.0
    right = axes.get_xlim()[1]
    low, high = one.p99.low or x, one.p99.high
    axes.plot([low, high or right], [y, y], color=color, linewidth=2.2, linestyle=style, zorder=3)
    if high is None and one.p99.low is not None:
        axes.plot([right], [y], ">", color=color, markersize=9, clip_on=False, zorder=4)
    if one.coverage.low is not None and one.coverage.high is not None:
        ends = [one.coverage.low, one.coverage.high]
        axes.plot([x, x], ends, color=color, linewidth=2.2, linestyle=style, zorder=3)
        axes.plot([x, x], ends, "_", color=color, markersize=9, markeredgewidth=2.2, zorder=3)
    axes.plot([end for end in (one.p99.low, high) if end], [y] * ((one.p99.low is not None) + (high is not None)),
              "|", color=color, markersize=9, markeredgewidth=2.2, zorder=3)  # fmt: skip
    axes.plot(x, y, zorder=5, gid=f"candidate-{number}", **_sign(one, number))


def _sign(one: Placed, number: int) -> dict[str, Any]:
    """What stands for a candidate, in the picture and beside its name."""
    color = COLORS[number % len(COLORS)]
    return {
        "marker": SHAPES[number % len(SHAPES)],
        "linestyle": "none",
        "markersize": 9,
        "markerfacecolor": "white" if one.undecided else color,
        "markeredgecolor": color,
        "markeredgewidth": 2,
    }


def _inches(axes: Axes, one: Placed, high: float) -> float:
    """How far the candidate's value is above the bottom."""
    bottom, top = axes.get_ylim()
    return _BOTTOM + ((one.coverage.value or 0.0) - bottom) / (top - bottom) * (high - _BOTTOM - _TOP)


def _block(number: int, one: Placed) -> _Block:
    name = wrap(one.name, _LETTERS - 4) or [one.name]
    return _Block(number, (*name, *wrap(words_of(one), _LETTERS)), len(name), 0.0)


def _spread(blocks: Sequence[_Block], top: float, bottom: float) -> list[tuple[_Block, float]]:
    """Each block with its middle: as near to where it would be best as it can be without touching another."""
    order = sorted(blocks, key=lambda one: (-one.at, one.number))
    middles: list[float] = []
    ceiling = top
    for one in order:
        middle = min(one.at, ceiling - one.high / 2)
        middles.append(middle)
        ceiling = middle - one.high / 2 - _GAP
    floor = bottom
    for number in range(len(order) - 1, -1, -1):
        middles[number] = max(middles[number], floor + order[number].high / 2)
        floor = middles[number] + order[number].high / 2 + _GAP
    return list(zip(order, middles, strict=True))


def _named(figure: Figure, block: _Block, middle: float, one: Placed) -> None:
    high = figure.get_figheight()
    upper = middle + block.high / 2
    if one.drawn:
        sign = Line2D([(_COLUMN - 0.17) / _WIDE], [(upper - 0.5 * _LINE) / high], **_sign(one, block.number))
        figure.add_artist(sign)
    for number, line in enumerate(block.lines):
        is_name = number < block.names
        figure.text(
            _COLUMN / _WIDE, (upper - (number + 0.5) * _LINE) / high, line, va="center", fontsize=10 if is_name else 9,
            fontweight="bold" if is_name else "normal", color=INK if is_name else SOFT,
        )  # fmt: skip
