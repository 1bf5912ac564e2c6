"""How Alembic reaches the store: by the connection that `engine.migrate` hands over."""

from alembic import context

from features.store.engine import VERSION_TABLE
from features.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite cannot alter a column otherwise
)
with context.begin_transaction():
    context.run_migrations()
