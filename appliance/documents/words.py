"""Numbers in words, as they stand on receipts: Indonesian (terbilang) and English.

Source: Ejaan Bahasa Indonesia (EYD V, 2022), numbers: "seribu", "seratus" and
"sebelas" are one word; "satu juta" and above are two.
"""

from __future__ import annotations

__all__ = ["LARGEST", "english_words", "number_in_words", "terbilang"]

LARGEST = 10**18 - 1

_ONES_ID = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_ONES_EN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS_EN = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GROUPS_ID = ((10**15, "kuadriliun"), (10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"), (10**3, "ribu"))
_GROUPS_EN = (
    *((10**15, "quadrillion"), (10**12, "trillion"), (10**9, "billion")),
    *((10**6, "million"), (10**3, "thousand")),
)


def number_in_words(number: int, language: str) -> str:
    """In the language; English where there is no other. Raises ValueError above LARGEST."""
    return terbilang(number) if language == "id" else english_words(number)


def terbilang(number: int) -> str:
    """``seratus lima puluh ribu`` of 150000."""
    _check(number)
    if number < 0:
        return f"minus {terbilang(-number)}"
    if number == 0:
        return _ONES_ID[0]
    words = []
    for size, name in _GROUPS_ID:
        count, number = divmod(number, size)
        if count == 1 and size == 1000:
            words.append("seribu")
        elif count:
            words.append(f"{_below_thousand_id(count)} {name}")
    if number:
        words.append(_below_thousand_id(number))
    return " ".join(words)


def _below_thousand_id(number: int) -> str:
    words = []
    hundreds, rest = divmod(number, 100)
    if hundreds:
        words.append("seratus" if hundreds == 1 else f"{_ONES_ID[hundreds]} ratus")
    tens, ones = divmod(rest, 10)
    if rest == 10:
        words.append("sepuluh")
    elif rest == 11:
        words.append("sebelas")
    elif tens == 1:
        words.append(f"{_ONES_ID[ones]} belas")
    else:
        if tens:
            words.append(f"{_ONES_ID[tens]} puluh")
        if ones:
            words.append(_ONES_ID[ones])
    return " ".join(words)


def english_words(number: int) -> str:
    """``one hundred fifty thousand`` of 150000."""
    _check(number)
    if number < 0:
        return f"minus {english_words(-number)}"
    if number == 0:
        return _ONES_EN[0]
    words = []
    for size, name in _GROUPS_EN:
        count, number = divmod(number, size)
        if count:
            words.append(f"{_below_thousand_en(count)} {name}")
    if number:
        words.append(_below_thousand_en(number))
    return " ".join(words)


def _below_thousand_en(number: int) -> str:
    words = []
    hundreds, rest = divmod(number, 100)
    if hundreds:
        words.append(f"{_ONES_EN[hundreds]} hundred")
    tens, ones = divmod(rest, 10)
    if 0 < rest < 20:
        words.append(_ONES_EN[rest])
    elif rest:
        words.append(_TENS_EN[tens] + (f"-{_ONES_EN[ones]}" if ones else ""))
    return " ".join(words)


def _check(number: int) -> None:
    if abs(number) > LARGEST:
        raise ValueError(f"{number} is larger than any that is said in words here")
