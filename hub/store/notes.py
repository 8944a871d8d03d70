"""Small notes that a connection keeps for itself, such as when a token runs out."""

from __future__ import annotations

from hub.store.store import Store


class StoredNotes:
    """Notes in the database, shared by every process."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def remember(self, connection: str, name: str, value: str) -> None:
        """Keep a note."""
        self.store.write(
            lambda db: db.run(
                "INSERT INTO notes (connection, name, value) VALUES (:connection, :name, :value) "
                "ON CONFLICT (connection, name) DO UPDATE SET value = excluded.value",
                connection=connection, name=name, value=value,
            )
        )  # fmt: skip

    def recall(self, connection: str, name: str) -> str | None:
        """Return a note, None where there is none."""
        sql = "SELECT value FROM notes WHERE connection = :connection AND name = :name"
        row = self.store.read(lambda db: db.one(sql, connection=connection, name=name))
        return None if row is None else str(row[0])
