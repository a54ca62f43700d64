"""A virtual RouterOS: its API over TCP, its tables, its scheduler, and a simulated router that they drive.

::

    device = Device(Description("7.18.2", users={"admin": "secret"}))
    with Server(device) as server:
        host, port = server.address  # for any client of the API
        server.faults.cut(Cut(3, Moment.AFTER))  # lose the connection at the third sentence

- :mod:`~labs.virtual_routeros.sentences`: words and sentences; ``session``: what is said to them; ``server``: TCP, TLS.
- :mod:`~labs.virtual_routeros.menus`: which menus and properties a version has; ``values``: what they may be;
  ``tables``: rows; ``commands``: what can be done to them.
- :mod:`~labs.virtual_routeros.scheduler` and ``scripting``: what the router does by itself.
- :mod:`~labs.virtual_routeros.node`: the tables as a router of the simulator.

Not there: wireless, queues, IPv6, users' rights, backups, safe mode, and whatever
else balancing does not need; a path to it is refused as the router refuses a wrong one.
"""
