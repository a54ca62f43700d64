"""A service with something for visitors, and something that is not for them."""

from appliance.contract.service import Role, Service

service = Service(name="lobby", title="Lobby", package=__name__, roles=(Role("porter", "Porter"),), public=True)
