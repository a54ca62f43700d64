"""The boards' settings as an EEPROM image: an INI file in, Intel HEX out.

Run as a program it is what ``make flash-irrigation`` and ``make flash-lamps`` use. The layout is that of
``firmware/common/settings.h`` and ``record.h``: two copies, each sequence number, payload, CRC-16/CCITT. Standard
library only, so that it runs where only avr-gcc and avrdude are installed.
"""

from __future__ import annotations

import configparser
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

__all__ = [
    "SETTINGS_BASE",
    "SETTINGS_SIZE",
    "STATE_BASE",
    "STATE_SIZE",
    "Settings",
    "SettingsError",
    "canonical",
    "crc16",
    "intel_hex",
]

STATE_BASE = 16
STATE_SIZE = 16
SETTINGS_BASE = 64
SETTINGS_SIZE = 84
_VERSION = 1
_NUMBERS = 3
_NUMBER_SIZE = 16
_OPEN = 1
_HEX_RECORD = 16


class SettingsError(ValueError):
    """A setting that the firmware could not hold."""


def crc16(data: bytes) -> int:
    """CRC-16/CCITT with start 0xFFFF, as ``firmware/common/crc.c``."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def canonical(number: str, country: str) -> str:
    """International digits without '+'; a national number (one leading 0) gets the country code.

    Raises SettingsError for what is no subscriber number (E.164: at most 15 digits; at least 8 here, so that short
    codes of operators are not).
    """
    digits = "".join(number.split()).replace("-", "")
    if digits.startswith("+"):
        digits = digits[1:]
    elif digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = country + digits[1:]
    if not (digits.isascii() and digits.isdigit()) or not 8 <= len(digits) <= 15 or digits.startswith("0"):
        raise SettingsError(f"{number!r} is not a subscriber number")
    return digits


@dataclass(frozen=True, slots=True)
class Settings:
    """What a site decides. ``levels`` are percent, ``sensors`` the millivolts of each sensor at those levels."""

    numbers: tuple[str, ...] = ()
    country: str = "62"
    open_to_all: bool = False
    fill_minutes: int = 10
    override_minutes: int = 30
    report_minutes: int = 10
    reference_mv: int = 2560
    levels: tuple[int, ...] = (0, 30, 50, 73, 90)
    sensors: tuple[tuple[float, ...], ...] = ((2.7, 31.5, 47.8, 69.1, 92.6), (2.8, 33.2, 51.6, 67.2, 82.5))

    def payload(self) -> bytes:
        """The bytes of ``settings.h``. Raises SettingsError."""
        self._check()
        numbers = [canonical(number, self.country) for number in self.numbers]
        parts = [
            bytes([_VERSION, _OPEN if self.open_to_all else 0]),
            self.country.encode().ljust(4, b"\0"),
            b"".join(number.encode().ljust(_NUMBER_SIZE, b"\0") for number in numbers).ljust(
                _NUMBERS * _NUMBER_SIZE, b"\0"
            ),
            bytes([self.fill_minutes, self.override_minutes, self.report_minutes]),
            self.reference_mv.to_bytes(2, "little"),
            bytes(self.levels),
            b"".join(round(mv * 100).to_bytes(2, "little") for sensor in self.sensors for mv in sensor),
        ]
        payload = b"".join(parts)
        assert len(payload) == SETTINGS_SIZE
        return payload

    def _check(self) -> None:
        if len(self.numbers) > _NUMBERS:
            raise SettingsError(f"at most {_NUMBERS} numbers can be registered")
        if not (self.country.isdigit() and 1 <= len(self.country) <= 3):
            raise SettingsError(f"country code {self.country!r}: one to three digits")
        for name in ("fill_minutes", "override_minutes", "report_minutes"):
            if not 1 <= getattr(self, name) <= 255:
                raise SettingsError(f"{name.replace('_', ' ')}: 1 to 255")
        if not 2300 <= self.reference_mv <= 2700:
            raise SettingsError("reference: 2300 to 2700 mV (data sheet, internal voltage reference)")
        if len(self.levels) != 5 or len(self.sensors) != 2 or any(len(sensor) != 5 for sensor in self.sensors):
            raise SettingsError("calibration: five levels, and five voltages of each of two sensors")
        if (
            any(not _rising(series) for series in (self.levels, *self.sensors))
            or not 0 <= self.levels[0] <= self.levels[-1] <= 100
        ):
            raise SettingsError("calibration: levels within 0 to 100, and all series rising")
        if any(not 0 <= mv <= 200 for sensor in self.sensors for mv in sensor):
            raise SettingsError("calibration: voltages within 0 to 200 mV")

    def image(self) -> bytes:
        """EEPROM bytes from ``SETTINGS_BASE`` on: both copies."""
        copies = []
        for sequence in (1, 2):
            body = bytes([sequence]) + self.payload()
            copies.append(body + crc16(body).to_bytes(2, "big"))
        return b"".join(copies)

    @classmethod
    def read(cls, path: Path) -> Settings:
        """From an INI file. Raises SettingsError, OSError."""
        parser = configparser.ConfigParser()
        try:
            parser.read_string(path.read_text(encoding="utf-8"), str(path))
            site = parser["site"]
            sensors = parser["sensors"] if parser.has_section("sensors") else None
            default = cls()
            return cls(
                numbers=tuple(site.get("numbers", "").replace(",", " ").split()),
                country=site.get("country", default.country),
                open_to_all=site.getboolean("open", False),
                fill_minutes=site.getint("fill minutes", default.fill_minutes),
                override_minutes=site.getint("override minutes", default.override_minutes),
                report_minutes=site.getint("report minutes", default.report_minutes),
                reference_mv=site.getint("reference mv", default.reference_mv),
                levels=tuple(int(word) for word in sensors["levels"].split()) if sensors else default.levels,
                sensors=(
                    tuple(tuple(float(word) for word in sensors[f"sensor {n}"].split()) for n in (1, 2))
                    if sensors
                    else default.sensors
                ),
            )
        except (configparser.Error, KeyError, ValueError) as error:
            raise SettingsError(f"{path}: {error}") from error


def _rising(series: Sequence[float]) -> bool:
    return all(low < high for low, high in pairwise(series))


def intel_hex(data: bytes, base: int) -> str:
    """Intel HEX, records of 16 bytes."""
    lines = []
    for offset in range(0, len(data), _HEX_RECORD):
        part = data[offset : offset + _HEX_RECORD]
        record = bytes([len(part)]) + (base + offset).to_bytes(2, "big") + b"\0" + part
        lines.append(f":{record.hex().upper()}{-sum(record) & 0xFF:02X}")
    return "\n".join([*lines, ":00000001FF", ""])


def main(arguments: Sequence[str]) -> int:
    """``settings.py SITE.INI OUT.HEX``"""
    if len(arguments) != 2:
        print("use: settings.py SITE.INI OUT.HEX", file=sys.stderr)
        return 2
    try:
        text = intel_hex(Settings.read(Path(arguments[0])).image(), SETTINGS_BASE)
    except (SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    Path(arguments[1]).write_text(text, encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
