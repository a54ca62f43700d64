"""Files that the appliance brings along: in the wheel, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

__all__ = ["data"]

_PACKAGE = Path(__file__).parent


def data(name: str) -> Path:
    """The file or folder ``name``, such as ``templates/documents``.

    Raises FileNotFoundError when neither the wheel nor the checkout has it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is neither in the installed package nor in a checkout beside {_PACKAGE}")
