"""The history of the tables: Alembic revisions, applied by `hub db upgrade`."""
