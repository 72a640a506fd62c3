"""Turns under the rate limits of connections, given out by the database to all processes.

The row of a connection says up to when turns are given out: each takes the next 1/rate of a second, and may be used
as soon as no more than a burst of them lies ahead (the generic cell rate algorithm).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

# One statement, by the database's own clock. With another limit than the last one the burst counts as used.
_BOOK = text("""
    INSERT INTO connection_turns AS booked (connection_id, given_until, per_second)
    VALUES (:connection_id, extract(epoch FROM clock_timestamp()) + 1 / :per_second, :per_second)
    ON CONFLICT (connection_id) DO UPDATE SET
        per_second = excluded.per_second,
        given_until = excluded.given_until + CASE
            WHEN booked.per_second = excluded.per_second
            THEN greatest(booked.given_until - excluded.given_until + 1 / :per_second, 0)
            ELSE (:burst - 1) / :per_second
        END
    RETURNING given_until - :burst / :per_second - extract(epoch FROM clock_timestamp())
""")


def book(connection: Connection, connection_id: int, per_second: float, burst: float) -> float:
    """Take the next turn of a connection; in how many seconds it is, 0 when it is now. PostgreSQL only."""
    # Of whole numbers PostgreSQL would make whole quotients.
    asked = {"connection_id": connection_id, "per_second": float(per_second), "burst": float(burst)}
    return max(float(connection.execute(_BOOK, asked).scalar_one()), 0.0)
