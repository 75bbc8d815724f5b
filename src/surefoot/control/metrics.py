"""`/metrics`: what the supervisor knows, in the text format of Prometheus.

Imported after the workers were started: its library is not needed before.

Must never: use a label whose values a client can choose.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from surefoot.control.picture import Picture
from surefoot.control.receipts import Receipts
from surefoot.control.status import SEVERITY, gravest, worst
from surefoot.control.tally import BOUNDS, Histogram, Key
from surefoot.journal.writer import Writer


class Metrics(Collector):
    """Reads the picture anew at each scrape."""

    def __init__(self, picture: Picture, journal: Writer | None, receipts: Receipts | None = None) -> None:
        self._picture = picture
        self._journal = journal
        self._receipts = receipts
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """The whole page."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing is said before there is a scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric there is."""
        yield from self._of_calls()
        yield from self._of_targets()
        yield from self._of_routes()
        yield from self._of_the_gateway()
        yield from self._of_the_journal()
        yield from self._of_receipts()

    def _of_calls(self) -> Iterator[Metric]:
        tally = self._picture.tally
        yield _counter("surefoot_calls", "Calls that ended, by outcome.", ("route", "kind"), tally.calls)
        yield _counter(
            "surefoot_attempts",
            "Attempts that ended, by why they were launched and how they ended.",
            ("target", "reason", "kind"),
            tally.attempts,
        )
        yield _counter("surefoot_tokens", "Tokens as providers counted them.", ("target", "direction"), tally.tokens)
        yield _histogram(
            "surefoot_call_first_content_seconds",
            "From a call's arrival to the first content for its client.",
            ("route", "form"),
            tally.first_content,
        )
        yield _histogram(
            "surefoot_attempt_first_content_seconds",
            "From an attempt's launch to its first content.",
            ("target", "form"),
            tally.target_first_content,
        )

    def _of_targets(self) -> Iterator[Metric]:
        breaker = GaugeMetricFamily(
            "surefoot_breaker_state", "1 for the state that the breaker is in.", labels=("target", "state")
        )
        flying = GaugeMetricFamily("surefoot_attempts_in_flight", "Attempts under way.", labels=("target",))
        suspicion = GaugeMetricFamily(
            "surefoot_suspicion", "0 calm, 1 others preferred, 2 hedged at once, 3 open.", labels=("target",)
        )
        suspended = GaugeMetricFamily(
            "surefoot_suspended", "1 while nobody asks it, because its answer contradicted it.", labels=("target",)
        )
        for name, parts in self._picture.targets().items():
            suspended.add_metric((name,), float(name in self._picture.suspended))
            state = worst(parts)
            for one in SEVERITY:
                breaker.add_metric((name, str(one)), float(one is state))
            flying.add_metric((name,), float(sum(part.in_flight for part in parts)))
            suspicion.add_metric((name,), float(gravest(parts)))
        yield breaker
        yield flying
        yield suspicion
        yield suspended

    def _of_routes(self) -> Iterator[Metric]:
        seconds = CounterMetricFamily(
            "surefoot_second_attempts",
            "Hedges and repeats that a route's budget has paid for or refused.",
            labels=("route", "verdict"),
        )
        saved = GaugeMetricFamily(
            "surefoot_budget_saved", "Second attempts that the route could pay for now.", labels=("route",)
        )
        for name, parts in self._picture.routes().items():
            seconds.add_metric((name, "spent"), float(sum(part.spent for part in parts)))
            seconds.add_metric((name, "refused"), float(sum(part.refused for part in parts)))
            saved.add_metric((name,), sum(part.saved for part in parts))
        yield seconds
        yield saved

    def _of_the_gateway(self) -> Iterator[Metric]:
        picture = self._picture
        reports = picture.reports
        in_flight = float(sum(report.in_flight for report in reports))
        connections = float(sum(report.connections for report in reports))
        deaths = float(sum(seat.deaths for seat in picture.seats))
        ready = float(sum(seat.version is not None for seat in picture.seats))
        yield GaugeMetricFamily("surefoot_calls_in_flight", "Calls under way.", in_flight)
        yield GaugeMetricFamily("surefoot_client_connections", "Client connections that are open.", connections)
        yield GaugeMetricFamily(
            "surefoot_all_targets_failing", "1 while every target fails at once: more likely our fault.", picture.ours
        )
        drilled = float(picture.tally.drilled)
        yield CounterMetricFamily("surefoot_drilled_calls", "Drilled calls; no other count has them.", drilled)
        yield GaugeMetricFamily("surefoot_workers_ready", "Workers that accept connections.", ready)
        yield CounterMetricFamily("surefoot_worker_deaths", "Workers that died and were replaced.", deaths)
        kept = float(sum(report.kept_answers for report in picture.reports))
        memory = float(sum(report.kept_memory for report in picture.reports))
        yield GaugeMetricFamily("surefoot_kept_answers", "Answers that are held for retries.", kept)
        yield GaugeMetricFamily("surefoot_kept_answers_bytes", "Memory that they take.", memory)
        reloads: dict[Key, int] = {(result,): count for result, count in picture.reloads.items()}
        events: dict[Key, int] = {(event,): count for event, count in picture.counters.items()}
        yield _counter(
            "surefoot_reloads",
            "Reloads of the configuration.",
            ("result",),
            reloads,
        )
        yield _counter(
            "surefoot_worker_events",
            "What else workers count.",
            ("event",),
            events,
        )

    def _of_the_journal(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "surefoot_telemetry_dropped", "Records that workers had to drop.", float(self._picture.dropped)
        )
        if self._journal is not None:
            lost: dict[Key, int] = {(str(reason),): count for reason, count in self._journal.dropped.items()}
            yield CounterMetricFamily(
                "surefoot_journal_written", "Calls written to the journal.", float(self._journal.written)
            )
            yield _counter("surefoot_journal_dropped", "Calls that the journal lacks.", ("reason",), lost)

    def _of_receipts(self) -> Iterator[Metric]:
        receipts = self._receipts
        if receipts is None:
            return
        lost: dict[Key, int] = {(str(reason),): count for reason, count in receipts.dropped.items()}
        owed = float(sum(seat.owed for seat in self._picture.seats))
        failing = receipts.fault is not None
        yield CounterMetricFamily("surefoot_receipts_calls", "Calls whose receipts are on the disk.", receipts.calls)
        yield _counter("surefoot_receipts_dropped", "Calls that have no receipt.", ("reason",), lost)
        yield GaugeMetricFamily("surefoot_receipts_records", "Records of the chain.", receipts.n)
        yield GaugeMetricFamily("surefoot_receipts_waiting", "Calls whose receipts wait here.", receipts.waiting)
        yield GaugeMetricFamily("surefoot_receipts_owed", "Calls that owe receipts, not yet handed over.", owed)
        yield GaugeMetricFamily("surefoot_receipts_failing", "1 while receipts cannot be written.", failing)


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Mapping[Key, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, count in counts.items():
        family.add_metric(key, float(count))
    return family


def _histogram(name: str, text: str, labels: tuple[str, ...], histograms: dict[Key, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, histogram in histograms.items():
        below = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), histogram.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        family.add_metric(key, buckets, histogram.total)
    return family
