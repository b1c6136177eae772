"""The values of a benchmark: its row, one run's sample, the figure of several runs, and a target."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.session import Session

PRODUCT = "kycmanager"


class NotMeasuredError(Exception):
    """Something cannot be measured on this machine; the message is the reason to print."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one contender: the value in the row's unit, CPU in microseconds per request, latencies in ms."""

    value: float
    cpu_us: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """The medians of a contender's runs, or the reason why there are none."""

    value: float | None
    cpu_us: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    spread: float | None = None
    runs: int = 0
    reason: str = ""

    @classmethod
    def of(cls, samples: list[Sample]) -> "Figure":
        """Medians; `spread` is (largest - smallest) / median of the values."""
        values = [sample.value for sample in samples]
        value = statistics.median(values)
        return cls(
            value=value,
            cpu_us=_median([sample.cpu_us for sample in samples]),
            p50_ms=_median([sample.p50_ms for sample in samples]),
            p99_ms=_median([sample.p99_ms for sample in samples]),
            spread=(max(values) - min(values)) / value if value else None,
            runs=len(samples),
        )

    @classmethod
    def missing(cls, reason: str) -> "Figure":
        """A figure that could not be taken."""
        return cls(value=None, reason=reason)


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the product's value, its p99 latency, or its ratio to a peer."""

    of: str  # "value", "p99_ms" or the name of a peer
    bound: float
    at_least: bool = True

    def text(self, unit: str) -> str:
        """The target as one reads it in the table."""
        sign = ">=" if self.at_least else "<="
        if self.of == "value":
            return f"{sign} {self.bound:,.10g} {unit}"
        if self.of == "p99_ms":
            return f"p99 {sign} {self.bound:g} ms"
        return f"{sign} {self.bound:g} x {self.of}"

    def met(self, figures: Mapping[str, Figure]) -> bool | None:
        """Whether the figures keep the bound; None when what it needs was not measured."""
        product = figures[PRODUCT]
        if self.of in ("value", "p99_ms"):
            reached = product.value if self.of == "value" else product.p99_ms
        else:
            reached = ratio(product, figures.get(self.of))
        if reached is None:
            return None
        return reached >= self.bound if self.at_least else reached <= self.bound


def ratio(product: Figure, peer: Figure | None) -> float | None:
    """The product's value over the peer's."""
    if peer is None or product.value is None or not peer.value:
        return None
    return product.value / peer.value


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One row of the table: what is measured, in what unit, beside whom, and what it should reach."""

    name: str
    summary: str
    unit: str
    peers: tuple[str, ...]
    targets: tuple[Target, ...]
    measure: Callable[["Session"], dict[str, Figure]]
    long: bool = False
    """Left out of a QUICK session, unless it is asked for by name."""
