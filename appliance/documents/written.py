"""Money, days and moments as a paper writes them, in the reader's language."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

__all__ = ["written_day", "written_moment", "written_number", "written_rupiah"]

_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "id": (
        *("Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli"),
        *("Agustus", "September", "Oktober", "November", "Desember"),
    ),
}


def written_number(number: float, language: str) -> str:
    """``1.234.567,5`` in Indonesian, ``1,234,567.5`` in English."""
    text = f"{number:,}"
    return text.translate(str.maketrans(",.", ".,")) if language == "id" else text


def written_rupiah(amount: int, language: str) -> str:
    """``Rp300.000`` in Indonesian (EYD V: no blank after Rp), ``Rp 300,000`` in English. Minus stands before."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{'' if language == 'id' else ' '}{written_number(abs(amount), language)}"


def written_day(day: date, language: str) -> str:
    """``15 Februari 2013``."""
    return f"{day.day} {_MONTHS.get(language, _MONTHS['en'])[day.month - 1]} {day.year}"


def written_moment(moment: datetime, language: str, zone: ZoneInfo) -> str:
    """In the zone: ``15 Februari 2013 14.30`` in Indonesian (EYD V: a full stop), ``15 February 2013 14:30`` else."""
    there = moment.astimezone(zone)
    between = "." if language == "id" else ":"
    return f"{written_day(there.date(), language)} {there.hour:02d}{between}{there.minute:02d}"
