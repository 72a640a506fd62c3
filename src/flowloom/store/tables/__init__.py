"""Every table, in SQLAlchemy Core, by what it is of. `columns` says how instants and JSON are kept."""

from __future__ import annotations

from flowloom.store.tables.accounts import api_keys, companies, users
from flowloom.store.tables.flows import (
    definitions,
    flows,
    marketplace_app_versions,
    marketplace_apps,
    routes,
    schedule_slots,
    schedules,
    steps,
    versions,
    webhooks,
)
from flowloom.store.tables.parts import metadata
from flowloom.store.tables.processes import circuits, processes, turns
from flowloom.store.tables.runs import (
    RUN_ID_BLOCK,
    dead_letters,
    exchanges,
    idempotency_keys,
    metric_deltas,
    metrics,
    payloads,
    run_ids,
    run_logs,
    runs,
    tracked,
)
from flowloom.store.tables.systems import (
    cache_entries,
    connections,
    connectors,
    data_pools,
    lookup_rows,
    lookup_tables,
    notification_groups,
    notifications,
    pool_entries,
)

__all__ = [
    "RUN_ID_BLOCK",
    "api_keys",
    "cache_entries",
    "circuits",
    "companies",
    "connections",
    "connectors",
    "data_pools",
    "dead_letters",
    "definitions",
    "exchanges",
    "flows",
    "idempotency_keys",
    "lookup_rows",
    "lookup_tables",
    "marketplace_app_versions",
    "marketplace_apps",
    "metadata",
    "metric_deltas",
    "metrics",
    "notification_groups",
    "notifications",
    "payloads",
    "pool_entries",
    "processes",
    "routes",
    "run_ids",
    "run_logs",
    "runs",
    "schedule_slots",
    "schedules",
    "steps",
    "tracked",
    "turns",
    "users",
    "versions",
    "webhooks",
]
