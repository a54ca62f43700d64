"""The only part of the compiler that touches a network: RouterOS by its API, Linux by netlink and libnftables."""
