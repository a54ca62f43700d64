"""The batch classifier: millions of packets against the lists of a device.

columns -> flattening (stages as flat lists) -> engines (cuts, bit vectors,
numpy) -> classifier. ``pcap`` reads packets from files, ``drawing`` draws them.
"""
