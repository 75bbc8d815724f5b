"""The charts of the report, as SVG that stands inside a page or alone.

Knows: bars, whiskers, dots and curves. Must never: compute a number, or point at anything outside the page.
"""

import io
from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from surefoot.facts import Fact
from surefoot.report.shown import share_of

WITH, WITHOUT = "#0b6e4f", "#b0413e"
INK, FAINT = "#26302f", "#d9dedc"

_WIDE = 8.4


def answered(names: Sequence[str], gateway: Sequence[Fact], direct: Sequence[Fact]) -> str:
    """Share of calls answered, per mode, with and without the gateway, with intervals."""
    figure, axes = _canvas(0.62 * len(names) + 0.9)
    for shift, facts, color, label in ((-0.19, gateway, WITH, "with Surefoot"), (0.19, direct, WITHOUT, "without")):
        for row, fact in enumerate(facts):
            value, low, high = (100 * (part or 0.0) for part in (fact.value, fact.low, fact.high))
            axes.barh(row + shift, value, height=0.34, color=color, label=label if row == 0 else None)
            axes.plot([low, high], [row + shift] * 2, color=INK, linewidth=1.3, solid_capstyle="butt")
            axes.text(max(value, high) + 1, row + shift, share_of(fact), color=color, va="center", fontsize=9)
    axes.set_xlim(0, 109)
    axes.set_xticks(range(0, 101, 20))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    _rows(axes, names, "calls answered whole and in time (line: 95 % interval)")
    return svg(figure)


def first_content(
    names: Sequence[str], gateway: Sequence[tuple[Fact, Fact]], direct: Sequence[tuple[Fact, Fact]]
) -> str:
    """Time to first content per mode: median as a dot, p99 as the end of the line; log scale."""
    figure, axes = _canvas(0.62 * len(names) + 0.9)
    for shift, pairs, color, label in ((-0.17, gateway, WITH, "with Surefoot"), (0.17, direct, WITHOUT, "without")):
        for row, (median, late) in enumerate(pairs):
            if median.value is None:
                axes.text(0.012, row + shift, "nothing came", color=color, va="center", fontsize=9)
                continue
            if late.value is not None:
                axes.plot([median.value, late.value], [row + shift] * 2, color=color, linewidth=2.2)
                axes.plot(late.value, row + shift, "|", color=color, markersize=10, markeredgewidth=2.2)
            axes.plot(median.value, row + shift, "o", color=color, markersize=7, label=label if row == 0 else None)
    axes.set_xscale("log")
    axes.set_xlim(0.01, 3)
    axes.set_xticks([0.01, 0.03, 0.1, 0.3, 1, 3], ["10 ms", "30 ms", "100 ms", "300 ms", "1 s", "3 s"])
    axes.xaxis.set_minor_locator(NullLocator())
    _rows(axes, names, "time to first content (dot: median, bar: p99)")
    return svg(figure)


def exceedance(without: Sequence[tuple[float, Fact]], kept: Sequence[tuple[float, Fact]]) -> str:
    """The loss exceedance curve of both arms: share of years that lose more than each amount, with its interval."""
    figure, axes = _canvas(4.2)
    for points, color, label in ((without, WITHOUT, "without fallback"), (kept, WITH, "with fallback")):
        amounts = [amount for amount, _ in points]
        low, high = (
            [100 * (end or 0.0) for end in ends] for ends in zip(*((f.low, f.high) for _, f in points), strict=True)
        )
        axes.fill_between(amounts, low, high, color=color, alpha=0.25, linewidth=0)
        axes.plot(amounts, [100 * (fact.value or 0.0) for _, fact in points], color=color, linewidth=1.8, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 101)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    years = without[0][1].n
    axes.set_xlabel(
        f"loss of a year; share of {years:,} simulated years that lose more (band: 95 %, Wilson)", color=INK
    )
    _plain(axes, "both")
    return svg(figure)


def _canvas(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDE, height), layout="constrained")
    return figure, figure.add_subplot()


def _rows(axes: Axes, names: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_xlabel(label, color=INK)
    _plain(axes, "x")


def _plain(axes: Axes, grid: Literal["x", "both"]) -> None:
    axes.grid(axis=grid, color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside upper left", ncols=2, frameon=False)


def svg(figure: Figure) -> str:
    """The figure as an element that stands inside a page or alone; letters are outlines, so that it needs no font."""
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "surefoot"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", metadata=nothing, transparent=True)
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the XML prologue and its reference to a document type
