"""What the tests of the classifier share: each engine, each family."""

import pytest

from compiler.fields import Family
from compiler.simulator.machine_code import has_numba

ENGINES = ("auto", "cuts", "bits", "numpy") if has_numba() else ("auto", "numpy")


@pytest.fixture(params=ENGINES)
def engine(request):
    """Each engine in turn."""
    return request.param


@pytest.fixture(params=list(Family), ids=["ipv4", "ipv6"])
def family(request):
    """Each address family in turn."""
    return request.param
