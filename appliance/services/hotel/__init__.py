"""Rooms of a mountain-resort hotel: bookings without double booking, payments, bills, and reports of a period."""

from __future__ import annotations

from appliance.contract.service import Role, Service

service = Service(
    name="hotel",
    title="Hotel",
    package=__name__,
    roles=(
        Role("receptionist", "Receptionist"),
        Role("administrator", "Hotel administrator"),
        Role("manager", "Operations manager"),
    ),
)
