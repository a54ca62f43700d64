"""Groups and goods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "shop_0001"
down_revision = None
branch_labels = ("shop",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shop_groups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("inside", sa.String(length=32), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inside"],
            ["shop_groups.code"],
            name=op.f("fk_shop_groups_inside"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_groups")),
        sa.UniqueConstraint("code", name=op.f("uq_shop_groups_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("shop_groups", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_groups_inside"), ["inside"], unique=False)

    op.create_table(
        "shop_goods",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("maker", sa.String(length=200), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("group", sa.String(length=32), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fragile", sa.Boolean(), nullable=False),
        sa.Column("size", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group"],
            ["shop_groups.code"],
            name=op.f("fk_shop_goods_group"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_goods")),
        sa.UniqueConstraint("code", name=op.f("uq_shop_goods_code")),
        sa.UniqueConstraint("name", "maker", name=op.f("uq_shop_goods_name_maker")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("shop_goods", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_goods_group"), ["group"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("shop_goods", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_goods_group"))

    op.drop_table("shop_goods")
    with op.batch_alter_table("shop_groups", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_groups_inside"))

    op.drop_table("shop_groups")
