"""state-persistence: keeps tasks in SQLite. A task is written once, however often its write is repeated."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.common.app import Agent
from agents.common.fields import ID, Fields, Refused

SCHEMA = """CREATE TABLE IF NOT EXISTS tasks (
    id TEXT PRIMARY KEY, task TEXT NOT NULL,
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))"""

agent = Agent("state-persistence")


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A connection of this request's own, with its transaction committed at the end or rolled back."""
    path = Path(os.environ.get("DATA_DIR", "/data")) / "tasks.db"
    connection = sqlite3.connect(path, timeout=5)
    try:
        with connection:
            connection.execute(SCHEMA)
            yield connection
    finally:
        connection.close()


@agent.workflow("POST", "/tasks")
def store(fields: Fields) -> tuple[int, dict[str, Any]]:
    """Keep the object under its ``id``: 201 when new, 200 for a repeated write, 409 for another object."""
    key = fields.text("id", like=ID)
    task = json.dumps(dict(fields), sort_keys=True)
    with database() as db:
        new = db.execute("INSERT OR IGNORE INTO tasks (id, task) VALUES (?, ?)", (key, task)).rowcount == 1
        kept, created = db.execute("SELECT task, created FROM tasks WHERE id = ?", (key,)).fetchone()
    if kept != task:
        raise Refused(f"task '{key}' is already stored with other content", status=409)
    return (201 if new else 200), {"id": key, "stored": new, "created": created}


@agent.workflow("GET", "/tasks/{id}")
def show(fields: Fields) -> dict[str, Any]:
    """The task as it was stored, with the time of that."""
    key = fields.text("id", like=ID)
    with database() as db:
        row = db.execute("SELECT task, created FROM tasks WHERE id = ?", (key,)).fetchone()
    if row is None:
        raise Refused(f"there is no task '{key}'", status=404)
    return {**json.loads(row[0]), "created": row[1]}


@agent.workflow("GET", "/tasks")
def recent(fields: Fields) -> dict[str, Any]:
    """How many tasks there are whose id begins with ``prefix``, and the ids of the newest ``limit`` of them."""
    prefix, limit = fields.text("prefix", "", limit=100), fields.whole("limit", 20, 1, 500)
    chosen = "FROM tasks WHERE substr(id, 1, length(:prefix)) = :prefix"
    given = {"prefix": prefix, "limit": limit}
    with database() as db:
        (count,) = db.execute(f"SELECT count(*) {chosen}", given).fetchone()
        rows = db.execute(f"SELECT id {chosen} ORDER BY created DESC, id LIMIT :limit", given).fetchall()
    return {"count": count, "tasks": [key for (key,) in rows]}


def check() -> None:
    """The database opens and has its table."""
    with database() as db:
        db.execute("SELECT 1 FROM tasks LIMIT 1")


agent.checks.append(check)
app = agent.app()
