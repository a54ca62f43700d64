"""A packet-level simulator: links, queues, switches, routers that run real configurations, hosts that speak TCP.

Time is virtual, in integer nanoseconds. The same network with the same seed
gives the same events, byte for byte. Nothing here touches a real network.

engine -> link -> node: a frame is one event a hop. ``router`` holds the
pipelines of Linux, RouterOS and IOS; ``hosts`` the protocols of end systems;
``applications`` what runs on them; ``classify`` the batch classifier.
"""
