"""What runs by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "system_0002"
down_revision = "system_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "system_timed",
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("command", sa.String(length=100), nullable=False),
        sa.Column("known", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service", "command", name=op.f("pk_system_timed")),
    )
    op.create_table(
        "system_timed_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("command", sa.String(length=100), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=100), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_timed_runs")),
        sa.UniqueConstraint(
            "service", "command", "occasion", name=op.f("uq_system_timed_runs_service_command_occasion")
        ),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("system_timed_runs")
    op.drop_table("system_timed")
