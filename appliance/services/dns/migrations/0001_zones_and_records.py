"""zones and records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "dns_0001"
down_revision = None
branch_labels = ("dns",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dns_zones",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("primary", sa.String(length=253), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=False),
        sa.Column("ttl", sa.BigInteger(), nullable=False),
        sa.Column("negative_ttl", sa.BigInteger(), nullable=False),
        sa.Column("refresh", sa.BigInteger(), nullable=False),
        sa.Column("retry", sa.BigInteger(), nullable=False),
        sa.Column("expire", sa.BigInteger(), nullable=False),
        sa.Column("least_serial", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dns_zones")),
        sa.UniqueConstraint("name", name=op.f("uq_dns_zones_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dns_records",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone", sa.String(length=253), nullable=False),
        sa.Column("owner", sa.String(length=254), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=4000), nullable=False),
        sa.Column("ttl", sa.BigInteger(), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone"],
            ["dns_zones.name"],
            name=op.f("fk_dns_records_zone"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dns_records")),
        sa.UniqueConstraint("number", name=op.f("uq_dns_records_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("dns_records", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_dns_records_zone"), ["zone"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("dns_records", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dns_records_zone"))

    op.drop_table("dns_records")
    op.drop_table("dns_zones")
