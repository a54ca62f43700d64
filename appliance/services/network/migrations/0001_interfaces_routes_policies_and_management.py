"""interfaces, routes, policies and management."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "network_0001"
down_revision = None
branch_labels = ("network",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "network_policies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_network_policies_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "network_interfaces",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=15), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("mtu", sa.BigInteger(), nullable=False),
        sa.Column("filter_in", sa.String(length=32), nullable=True),
        sa.Column("filter_out", sa.String(length=32), nullable=True),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["filter_in"],
            ["network_policies.name"],
            name=op.f("fk_network_interfaces_filter_in"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["filter_out"],
            ["network_policies.name"],
            name=op.f("fk_network_interfaces_filter_out"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_interfaces")),
        sa.UniqueConstraint("name", name=op.f("uq_network_interfaces_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("network_interfaces", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_interfaces_filter_in"), ["filter_in"], unique=False)
        batch_op.create_index(batch_op.f("ix_network_interfaces_filter_out"), ["filter_out"], unique=False)

    op.create_table(
        "network_management",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("network", sa.String(length=49), nullable=False),
        sa.Column("interface", sa.String(length=15), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["interface"],
            ["network_interfaces.name"],
            name=op.f("fk_network_management_interface"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_management")),
        sa.UniqueConstraint("name", name=op.f("uq_network_management_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("network_management", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_management_interface"), ["interface"], unique=False)

    op.create_table(
        "network_routes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("destination", sa.String(length=49), nullable=False),
        sa.Column("gateway", sa.String(length=45), nullable=False),
        sa.Column("interface", sa.String(length=15), nullable=True),
        sa.Column("metric", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["interface"],
            ["network_interfaces.name"],
            name=op.f("fk_network_routes_interface"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_routes")),
        sa.UniqueConstraint("destination", "metric", name=op.f("uq_network_routes_destination_metric")),
        sa.UniqueConstraint("name", name=op.f("uq_network_routes_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("network_routes", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_routes_interface"), ["interface"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("network_routes", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_routes_interface"))

    op.drop_table("network_routes")
    with op.batch_alter_table("network_management", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_management_interface"))

    op.drop_table("network_management")
    with op.batch_alter_table("network_interfaces", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_interfaces_filter_out"))
        batch_op.drop_index(batch_op.f("ix_network_interfaces_filter_in"))

    op.drop_table("network_interfaces")
    op.drop_table("network_policies")
