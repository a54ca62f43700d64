"""Linux itself: routes and rules by netlink, the table of nft by libnftables, settings by /proc/sys."""
