"""Durations in log buckets that can be added up: quantiles within 2.5 % at any interval.

Each bucket is 5 % wider than the one below, and a quantile is answered with a value inside its bucket that is at most
2.44 % away from either edge (the DDSketch scheme, Masson, Rim and Lee, VLDB 2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

GAMMA: Final = 1.05
_LOG_GAMMA = math.log(GAMMA)
SMALLEST_MS: Final = 0.001


def key(duration_ms: float) -> str:
    """The bucket of a duration, as a metric key: `b132`."""
    return f"b{math.ceil(math.log(max(duration_ms, SMALLEST_MS)) / _LOG_GAMMA)}"


def is_bucket(metric_key: str) -> bool:
    return metric_key[0] == "b" and metric_key[1:].lstrip("-").isdigit()


def quantile(buckets: Mapping[str, int], share: float) -> float:
    """The shortest counted duration in milliseconds that `share` (0..1) of them do not exceed; 0.0 of none.

    The nearest rank, so that the p95 of a few is the slowest of them.
    """
    rank = max(1, math.ceil(share * sum(buckets.values())))
    seen = 0
    for index in sorted(int(name[1:]) for name in buckets):
        seen += buckets[f"b{index}"]
        if seen >= rank:
            return 2 * GAMMA**index / (GAMMA + 1)
    return 0.0
