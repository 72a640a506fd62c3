"""Figures: what was measured, beside its floor and its target, and how it is printed."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """How long to measure: `rounds` of floor and product in turn, counts multiplied by `scale`."""

    rounds: int = 3
    scale: float = 1.0

    def count(self, whole: int) -> int:
        return max(1, int(whole * self.scale))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `ratio` is how many times the floor's cost the product's is, and of a gain
    how many times the other's rate; None where there is nothing to compare with."""

    name: str
    unit: str
    product: float
    floor: float | None = None
    ratio: float | None = None
    target: str = ""
    is_met: bool | None = None


def rate(name: str, product: Sequence[float], floor: Sequence[float], **about: Any) -> Figure:
    """Medians of so many a second; the ratio is floor / product."""
    here, there = statistics.median(product), statistics.median(floor)
    return _judged(Figure(name, "/s", here, there, there / here), **about)


def gain(name: str, product: Sequence[float], other: Sequence[float], **about: Any) -> Figure:
    """Medians of so many a second; the ratio is how many times the other's it is."""
    here, there = statistics.median(product), statistics.median(other)
    return _judged(Figure(name, "/s", here, there, here / there), **about)


def cost(name: str, unit: str, product: Sequence[float], floor: Sequence[float] = (), **about: Any) -> Figure:
    """Medians of a cost; the ratio is product / floor."""
    here = statistics.median(product)
    if not floor:
        return _judged(Figure(name, unit, here), **about)
    there = statistics.median(floor)
    return _judged(Figure(name, unit, here, there, here / there if there else None), **about)


def _judged(figure: Figure, target: str = "", holds: Callable[[Figure], bool] | None = None) -> Figure:
    return Figure(**{**asdict(figure), "target": target, "is_met": holds(figure) if holds else None})


def at_most(limit: float) -> Callable[[Figure], bool]:
    """The target of a cost."""
    return lambda figure: figure.product <= limit


def at_least(limit: float) -> Callable[[Figure], bool]:
    """The target of a rate."""
    return lambda figure: figure.product >= limit


def ratio_at_most(limit: float) -> Callable[[Figure], bool]:
    """The target of a ratio."""
    return lambda figure: figure.ratio is not None and figure.ratio <= limit


def ratio_at_least(limit: float) -> Callable[[Figure], bool]:
    """The target of a gain."""
    return lambda figure: figure.ratio is not None and figure.ratio >= limit


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was before."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


def show(figures: Sequence[Figure]) -> None:
    """Print a measurement's figures as lines of a table."""
    for one in figures:
        floor = f"{one.floor:>11,.2f}" if one.floor is not None else " " * 11
        ratio = f"{one.ratio:>6.2f}x" if one.ratio is not None else " " * 7
        met = {True: "met", False: "MISSED", None: ""}[one.is_met]
        print(f"  {one.name:<46} {one.product:>11,.2f} {one.unit:<5} {floor} {ratio}  {one.target:<22} {met}")
