"""A service with every kind of column, one that refers to itself, and migrations: for the tests of the store."""

from appliance.contract.service import Role, Service

SHOP = Service(
    name="shop",
    title="Shop",
    package=__name__,
    roles=(Role("clerk", "Clerk"),),
    folders=("pictures",),
)
