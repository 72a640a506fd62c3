"""What every use case stands on: the stores, the keys, the clock and the settings of this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flowloom.engine.circuits import Circuits
from flowloom.settings import Settings
from flowloom.store.blobs import Blobs
from flowloom.store.broker import Broker
from flowloom.store.database import Database
from flowloom.store.journal import Journal
from flowloom.store.queue import RunIds
from flowloom.store.secrets import Vault


@dataclass(frozen=True, slots=True)
class Platform:
    """Built once, in bootstrap."""

    settings: Settings
    database: Database
    journal: Journal
    run_ids: RunIds
    broker: Broker
    blobs: Blobs
    vault: Vault
    circuits: Circuits
    clock: Callable[[], datetime]
