"""The counters of the daemon: plain integers while it works, Prometheus text when it is asked."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

LATENCY_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds of the latency buckets; one more bucket takes what is slower."""

OTHER = "other"
"""The label of every name that is no command: callers cannot make labels."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SUCCESS = 200


class _Slot:
    """What is counted of one command."""

    __slots__ = ("buckets", "errors", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(LATENCY_SECONDS) + 1)
        self.errors: dict[int, int] = {}
        self.seconds = 0.0


class _Reading:
    """A number that is read when it is asked for."""

    __slots__ = ("read", "text", "total")

    def __init__(self, text: str, read: Callable[[], float], *, total: bool) -> None:
        self.text = text
        self.read = read
        self.total = total


class Metrics(Collector):
    """Counts commands by name, status and latency; gauges and totals of others are read by callbacks.

    One thread observes. `commands` are the names of the table; whatever else is observed counts as "other".
    """

    def __init__(self, commands: Iterable[str] = ()) -> None:
        self._other = _Slot()
        self._slots: dict[str, _Slot] = {name: _Slot() for name in commands}
        self._readings: dict[str, _Reading] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def observe(self, command_name: str, status: int, seconds: float, count: int = 1) -> None:
        """Count an answered command, or `count` of them that were answered together in `seconds` each."""
        slot = self._slots.get(command_name, self._other)
        slot.buckets[bisect_left(LATENCY_SECONDS, seconds)] += count
        slot.seconds += seconds * count
        if status != _SUCCESS:
            slot.errors[status] = slot.errors.get(status, 0) + count

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show `read()` as the gauge kycmanager_<name>; registering a name again replaces it."""
        self._readings[name] = _Reading(text, read, total=False)

    def total(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show `read()`, which only grows, as the counter kycmanager_<name>_total."""
        self._readings[name] = _Reading(text, read, total=True)

    def render(self) -> bytes:
        """Return everything as text of CONTENT_TYPE."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Name nothing in advance: the readings are registered later."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Turn the counters into metric families."""
        yield self._durations()
        yield self._errors()
        for name, reading in self._readings.items():
            family = CounterMetricFamily if reading.total else GaugeMetricFamily
            yield family(f"kycmanager_{name}", reading.text, value=reading.read())

    def _observed(self) -> Iterator[tuple[str, _Slot]]:
        """Give the slots that have counted something, in the order of the table."""
        for name, slot in (*self._slots.items(), (OTHER, self._other)):
            if any(slot.buckets):
                yield name, slot

    def _durations(self) -> Metric:
        family = HistogramMetricFamily(
            "kycmanager_command_seconds",
            "Seconds from a command's arrival to its answer.",
            labels=["command"],
        )
        for name, slot in self._observed():
            family.add_metric([name], _cumulative(slot.buckets), slot.seconds)
        return family

    def _errors(self) -> Metric:
        family = CounterMetricFamily(
            "kycmanager_command_errors",
            "Commands refused or failed, by status.",
            labels=["command", "status"],
        )
        for name, slot in self._observed():
            for status, count in sorted(slot.errors.items()):
                family.add_metric([name, str(status)], count)
        return family


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in LATENCY_SECONDS), "+Inf"]
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
