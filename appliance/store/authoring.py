"""Writing migrations: what stands between a service's revisions and its tables, as an Alembic file; and the test of it.

For authors of services. The daemon never imports this.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, DateTime, MetaData, inspect
from sqlalchemy.types import TypeDecorator

from appliance.contract.service import Service
from appliance.store.engine import Store
from appliance.store.filling import fill_empty_tables, values_for_old_rows
from appliance.store.migrate import downgrade
from appliance.store.revisions import REVISIONS, branch_of, folder_of, metadata_of, migration_context, step
from appliance.store.types import AsJson, Choice, Identity, Utc
from compiler.errors import UsageError

__all__ = ["NothingChanged", "assert_migrations_match", "differences", "new_revision"]

_FILE = '''"""{message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {before}
branch_labels = {label}
depends_on = None


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    {downgrade}
'''


class NothingChanged(UsageError):
    """The revisions of the service give its tables as they are."""


def new_revision(service: Service, message: str) -> Path:
    """Write the service's next migration, from its revisions to its tables; returns the file.

    Read it before you commit it: a renamed column is seen as one removed and one
    added. A field that is new and required takes its default in the rows that are
    there. Raises NothingChanged, and UsageError for a service in no folder and
    for a new field that leaves the rows that are there without a value.
    """
    folder = folder_of(service)
    if folder is None:
        raise UsageError(f"the package {service.package} of {service.name} is not there")
    words = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40].rstrip("_")
    if not words:
        raise UsageError("a migration has a message of some letters: what it changes")
    branch = branch_of(service)
    before = branch[-1].name if branch else None
    name = f"{service.name}_{len(branch) + 1:04d}"
    upgrade, downgrade = _rendered(service)
    said = " ".join(message.replace("\\", " ").replace('"', "'").split())
    text = _FILE.format(
        message=said + ("" if said.endswith((".", "?", "!")) else "."),
        name=name,
        before=f'"{before}"' if before else "None",
        label="None" if branch else f'("{service.name}",)',
        upgrade=upgrade,
        downgrade=downgrade,
    )
    folder.mkdir(exist_ok=True)
    package = folder / "__init__.py"
    if not package.exists():
        package.write_text(f'"""The revisions of the tables of {service.name}."""\n', encoding="utf-8")
    file = folder / f"{len(branch) + 1:04d}_{words}.py"
    file.write_text(text, encoding="utf-8")
    _format(file)
    return file


def _format(file: Path) -> None:
    """In the style of the project, where ruff is installed."""
    beside = Path(sys.executable).with_name("ruff")
    program = str(beside) if beside.exists() else shutil.which("ruff")
    if program:
        subprocess.run([program, "format", "--quiet", str(file)], check=False)


def _rendered(service: Service) -> tuple[str, str]:
    """The bodies of ``upgrade`` and ``downgrade``, indented."""
    from alembic.autogenerate import produce_migrations, render_python_code

    store = Store("sqlite://")
    try:
        with store.migrating() as connection:
            for revision in branch_of(service):
                step(connection, revision)
            context = migration_context(connection)
            script = produce_migrations(context, metadata_of(service))
            up, down = script.upgrade_ops, script.downgrade_ops
            assert up is not None
            assert down is not None
            if up.is_empty():
                raise NothingChanged(f"the migrations of {service.name} give its tables already")
            values_for_old_rows(up, metadata_of(service))
            values_for_old_rows(down, None)
            options: dict[str, Any] = {"render_item": _render, "render_as_batch": True, "migration_context": context}
            return (_tidy(render_python_code(up, **options)), _tidy(render_python_code(down, **options)))
    finally:
        store.close()


def _render(kind: str, item: Any, _context: Any) -> str | bool:
    """Our own types as the plain ones under them: a migration is history, and does not change with the code."""
    if kind != "type":
        return False
    if isinstance(item, Utc | DateTime):  # what SQLite gives back of a removed column has no zone
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Choice):
        return "sa.String(length=64)"
    if isinstance(item, AsJson):
        return "sa.Text()"
    if item is Identity or (isinstance(item, BigInteger) and "sqlite" in item._variant_mapping):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if isinstance(item, TypeDecorator):
        raise UsageError(f"{type(item).__name__} has no plain type for migrations: give it one in {__name__}")
    return False


def _tidy(code: str) -> str:
    """Without Alembic's advice, and with the numbers of rows kept on SQLite."""
    lines = [line for line in code.splitlines() if not line.strip().startswith("#")]
    text = "\n".join(line.rstrip() for line in lines).strip()
    # Batch mode makes the table anew: without this a removed row's number would be given again.
    return text.replace(", schema=None) as batch_op", ', table_kwargs={"sqlite_autoincrement": True}) as batch_op')


def differences(store: Store, service: Service) -> list[Any]:
    """What stands between the tables in the store and those of the service, in Alembic's words."""
    from alembic.autogenerate import compare_metadata

    with store.writing() as connection:
        found = compare_metadata(migration_context(connection, f"{service.name}_"), metadata_of(service))
        return [*found, *_autoincrement(connection, metadata_of(service))]


def _autoincrement(connection: Any, tables: MetaData) -> list[str]:
    """Alembic does not see that SQLite would give the number of a removed row again."""
    if connection.dialect.name != "sqlite":
        return []
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    made = {row.name: row.sql for row in rows}
    wanted = [one.name for one in tables.tables.values() if one.dialect_options["sqlite"].get("autoincrement")]
    return [f"{name} has no AUTOINCREMENT" for name in wanted if "AUTOINCREMENT" not in made.get(name, "")]


def assert_migrations_match(service: Service, url: str = "sqlite://") -> None:
    """For tests: from nothing up to the head gives exactly the service's tables; so does down to nothing and up again.

    Each step, up and down, meets tables with two rows in each: one that only an
    empty store survives fails here. ``url`` is of an empty database. Raises
    AssertionError with what differs, and what a step raises.
    """
    store = Store(url)
    try:
        for _ in range(2):
            for revision in branch_of(service):
                with store.migrating() as connection:
                    step(connection, revision)
                with store.writing() as connection:
                    fill_empty_tables(connection, f"{service.name}_")
            found = differences(store, service)
            assert not found, f"the migrations of {service.name} do not give its tables: {found}"
            downgrade(store, service)
            with store.reading() as connection:
                left = set(inspect(connection).get_table_names()) - {REVISIONS.name, "sqlite_sequence"}
            assert not left, f"the migrations of {service.name} leave behind: {sorted(left)}"
    finally:
        store.close()
