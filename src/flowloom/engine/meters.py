"""What this process counts for /metrics: how its runs end, and how many it works on."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

RUNS_ENDED: Final = Counter("flowloom_runs_ended", "Runs that ended in this process, by state", ["status"])
QUEUE_READY: Final = Gauge(
    "flowloom_queue_ready", "Runs that may begin now, as the process that leads sees them; counted to 100,000"
)
IS_LEADER: Final = Gauge(
    "flowloom_is_leader", "Whether this process leads: it fires schedules and feeds workers"
)
RUNS_WORKED_ON: Final = Gauge("flowloom_runs_worked_on", "Runs that this process works on now")
