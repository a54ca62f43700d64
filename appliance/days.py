"""Days and times as people write them, in texts that know no more of their reader than the translation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from appliance.language import Translate, _

__all__ = ["dated", "day_written", "moment_written", "values_written"]

DAY = _("{year}-{month}-{day}")
TIME = _("{hour}:{minute}:{second}")
_DATED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?)?")


def dated(value: Any) -> Any:
    """A day or a moment for a text that is one by ISO 8601, as JSON has them; anything else as it is."""
    if isinstance(value, str) and (found := _DATED.fullmatch(value)):
        with suppress(ValueError):
            return datetime.fromisoformat(value) if found[1] else date.fromisoformat(value)
    return value


def day_written(day: date, translate: Translate) -> str:
    """``2026-12-10``, and ``10/12/2026`` in Indonesian."""
    return translate(DAY).format(year=f"{day.year:04}", month=f"{day.month:02}", day=f"{day.day:02}")


def moment_written(moment: datetime, translate: Translate) -> str:
    """``2026-12-10 14:30:00``, and ``10/12/2026 14.30.00`` in Indonesian."""
    time = translate(TIME).format(hour=f"{moment:%H}", minute=f"{moment:%M}", second=f"{moment:%S}")
    return f"{day_written(moment, translate)} {time}"


def values_written(values: Mapping[str, Any], translate: Translate) -> dict[str, Any]:
    """The values of a template, with days and moments as people write them."""
    return {name: _written(dated(value), translate) for name, value in values.items()}


def _written(value: Any, translate: Translate) -> Any:
    if isinstance(value, datetime):
        return moment_written(value, translate)
    return day_written(value, translate) if isinstance(value, date) else value
