"""What this process counts for /metrics: how its runs end, and how many it works on."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

RUNS_ENDED: Final = Counter("flowloom_runs_ended", "Runs that ended in this process, by state", ["status"])
RUNS_WORKED_ON: Final = Gauge("flowloom_runs_worked_on", "Runs that this process works on now")
