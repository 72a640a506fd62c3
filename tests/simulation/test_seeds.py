"""Thousands of seeds: whatever fails wherever, the promises hold. And a seed is always the same story."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation import simulation, storage

ROOT = Path(__file__).parents[2]
ONLY = os.environ.get("FLOWLOOM_SIMULATION_SEED")
SEEDS = (
    range(int(ONLY), int(ONLY) + 1)
    if ONLY
    else range(int(os.environ.get("FLOWLOOM_SIMULATION_SEEDS", "5000")))
)
SEEDS_A_TEST = 50
# Enough of them that each kind of failure is among them.
TWICE = range(12)
ELSEWHERE = """
import hashlib
from tests.simulation import simulation, storage
engines = storage.Engines({template!r})
for seed in {seeds!r}:
    print(hashlib.sha256(repr(simulation.simulate(seed, engines).trace).encode()).hexdigest())
"""


@pytest.mark.parametrize("first", SEEDS[::SEEDS_A_TEST])
def test_whatever_fails_the_promises_hold(first: int, engines: storage.Engines):
    for seed in range(first, min(first + SEEDS_A_TEST, SEEDS.stop)):
        done = simulation.simulate(seed, engines)
        if ONLY:
            print(*done.trace, sep="\n")
        assert not done.breaches, "\n".join([simulation.replay(seed), *done.breaches])


def test_a_seed_is_the_same_story_each_time(engines: storage.Engines):
    for seed in TWICE:
        first, again = (simulation.simulate(seed, engines) for _ in range(2))
        assert first.trace == again.trace, simulation.replay(seed)
        assert len(first.trace) > 5


def test_a_seed_is_the_same_story_in_another_process(engines: storage.Engines, sqlite_template: Path):
    code = ELSEWHERE.format(template=str(sqlite_template), seeds=TWICE)
    here = [_digest(simulation.simulate(seed, engines)) for seed in TWICE]
    assert _told(code).split() == here
    assert len(set(here)) == len(TWICE)


def _digest(done: simulation.Simulation) -> str:
    return hashlib.sha256(repr(done.trace).encode()).hexdigest()


def _told(code: str) -> str:
    """What another process prints, in which texts have other hashes."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    environ = {**os.environ, "PYTHONHASHSEED": "17", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, check=True, text=True
    )
    return done.stdout
