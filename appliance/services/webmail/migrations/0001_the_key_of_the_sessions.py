"""The key of the sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "webmail_0001"
down_revision = None
branch_labels = ("webmail",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webmail_keys",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_webmail_keys")),
    )


def downgrade() -> None:
    op.drop_table("webmail_keys")
