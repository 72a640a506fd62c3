"""What a start does not need is not loaded by it: it would take time and memory of every server."""

from __future__ import annotations

import subprocess
import sys

LATER = {
    "aiohttp", "aiosmtplib", "alembic", "asyncssh", "fastapi", "google.protobuf", "ijson", "jwt", "nats", "obstore",
    "opentelemetry", "psycopg", "pymysql", "requests", "yaml"
}  # fmt: skip


def test_no_library_is_loaded_before_it_is_needed() -> None:
    script = "import sys, flowloom.cli, flowloom.serving; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert LATER & set(said.split()) == set()
