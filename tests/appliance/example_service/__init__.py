"""The vehicles of a pool: the smallest service that is worth having, and the pattern to copy.

A service is a package of a few modules, each found by its name and imported when it is needed:

``model.py``
    What is kept and said: records, whose fields have a *kind* (``Code``, ``Rupiah``, ``Day``, …) with its bounds.
    ``MASTER_DATA`` alone gives a table, the commands ``vehicles.get|add|change|remove``, the listing ``vehicles``
    with sorting, filters, search and export, and a screen with grid and form.
``tables.py``
    The SQLAlchemy tables, derived from the model: two lines. Needed as soon as a command reads them.
``commands.py``
    What is done beside that: typed functions with the roles that may use them. Each is at once a form on the
    screen, ``gerbang call pool.drive``, and an operation of the OpenAPI document.
``screens.py``
    ``SCREENS``: descriptions, no widgets. Without this module there is a screen for each master data.
``examples.py``
    Sample data for ``gerbang console --demo``.

The object ``service`` is named by an entry point of the group ``gerbang.services``. Texts are marked by ``_`` where
nothing else tells that they are texts; labels, titles and summaries are found by themselves.
"""

from appliance.contract.service import Role, Service

service = Service(
    name="pool",
    title="Vehicle pool",
    package=__name__,
    roles=(Role("clerk", "Clerk"), Role("reader", "Reader")),
)
