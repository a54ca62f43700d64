"""rooms, guests, bookings and payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "hotel_0001"
down_revision = None
branch_labels = ("hotel",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hotel_guests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity", sa.String(length=32), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=24), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_guests")),
        sa.UniqueConstraint("identity", name=op.f("uq_hotel_guests_identity")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hotel_packages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_packages")),
        sa.UniqueConstraint("code", name=op.f("uq_hotel_packages_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hotel_rooms",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=100), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("facilities", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("weekday_rate", sa.BigInteger(), nullable=False),
        sa.Column("weekend_rate", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_rooms")),
        sa.UniqueConstraint("code", name=op.f("uq_hotel_rooms_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hotel_staff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("birth_place", sa.String(length=200), nullable=False),
        sa.Column("birth_day", sa.Date(), nullable=True),
        sa.Column("religion", sa.String(length=64), nullable=False),
        sa.Column("sex", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=100), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=24), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_staff")),
        sa.UniqueConstraint("account", name=op.f("uq_hotel_staff_account")),
        sa.UniqueConstraint("number", name=op.f("uq_hotel_staff_number")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "hotel_bookings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("guest", sa.String(length=32), nullable=False),
        sa.Column("arrival", sa.Date(), nullable=False),
        sa.Column("departure", sa.Date(), nullable=False),
        sa.Column("nights", sa.BigInteger(), nullable=False),
        sa.Column("package", sa.String(length=32), nullable=True),
        sa.Column("package_price", sa.BigInteger(), nullable=False),
        sa.Column("bed_rate", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("staff", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guest"],
            ["hotel_guests.identity"],
            name=op.f("fk_hotel_bookings_guest"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["package"],
            ["hotel_packages.code"],
            name=op.f("fk_hotel_bookings_package"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_bookings")),
        sa.UniqueConstraint("number", name=op.f("uq_hotel_bookings_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hotel_bookings", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_hotel_bookings_guest"), ["guest"], unique=False)
        batch_op.create_index(batch_op.f("ix_hotel_bookings_package"), ["package"], unique=False)
        batch_op.create_index("ix_hotel_bookings_stay", ["arrival", "departure"], unique=False)

    op.create_table(
        "hotel_booked_rooms",
        sa.Column("booking", sa.String(length=32), nullable=False),
        sa.Column("room", sa.String(length=32), nullable=False),
        sa.Column("extra_beds", sa.Integer(), nullable=False),
        sa.Column("weekday_nights", sa.Integer(), nullable=False),
        sa.Column("weekday_rate", sa.BigInteger(), nullable=False),
        sa.Column("weekend_nights", sa.Integer(), nullable=False),
        sa.Column("weekend_rate", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"],
            ["hotel_bookings.number"],
            name=op.f("fk_hotel_booked_rooms_booking"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["room"],
            ["hotel_rooms.code"],
            name=op.f("fk_hotel_booked_rooms_room"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("booking", "room", name=op.f("pk_hotel_booked_rooms")),
    )
    op.create_table(
        "hotel_cancellations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("refund", sa.BigInteger(), nullable=False),
        sa.Column("before_arrival", sa.Boolean(), nullable=False),
        sa.Column("staff", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"],
            ["hotel_bookings.number"],
            name=op.f("fk_hotel_cancellations_booking"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_cancellations")),
        sa.UniqueConstraint("number", name=op.f("uq_hotel_cancellations_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hotel_cancellations", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_hotel_cancellations_booking"), ["booking"], unique=False)

    op.create_table(
        "hotel_nights",
        sa.Column("room", sa.String(length=32), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("booking", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"],
            ["hotel_bookings.number"],
            name=op.f("fk_hotel_nights_booking"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["room"], ["hotel_rooms.code"], name=op.f("fk_hotel_nights_room"), onupdate="CASCADE", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("room", "night", name=op.f("pk_hotel_nights")),
    )
    with op.batch_alter_table("hotel_nights", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_hotel_nights_booking"), ["booking"], unique=False)

    op.create_table(
        "hotel_payments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booking", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("staff", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"],
            ["hotel_bookings.number"],
            name=op.f("fk_hotel_payments_booking"),
            onupdate="CASCADE",
            ondelete="RESTRICT",
            initially="IMMEDIATE",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hotel_payments")),
        sa.UniqueConstraint("number", name=op.f("uq_hotel_payments_number")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("hotel_payments", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.create_index(batch_op.f("ix_hotel_payments_booking"), ["booking"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("hotel_payments", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hotel_payments_booking"))

    op.drop_table("hotel_payments")
    with op.batch_alter_table("hotel_nights", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hotel_nights_booking"))

    op.drop_table("hotel_nights")
    with op.batch_alter_table("hotel_cancellations", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hotel_cancellations_booking"))

    op.drop_table("hotel_cancellations")
    op.drop_table("hotel_booked_rooms")
    with op.batch_alter_table("hotel_bookings", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.drop_index("ix_hotel_bookings_stay")
        batch_op.drop_index(batch_op.f("ix_hotel_bookings_package"))
        batch_op.drop_index(batch_op.f("ix_hotel_bookings_guest"))

    op.drop_table("hotel_bookings")
    op.drop_table("hotel_staff")
    op.drop_table("hotel_rooms")
    op.drop_table("hotel_packages")
    op.drop_table("hotel_guests")
