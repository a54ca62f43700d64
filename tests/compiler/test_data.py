"""Files beside the package."""

import pytest

from compiler.data import data


def test_a_checkout_has_its_templates():
    assert data("templates/nftables").is_dir()


def test_what_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="templates/junos is neither in"):
        data("templates/junos")
