"""Asks the node's own name server: ``look_up.py NAME TYPE``. Exit codes: 0 answered, 3 no such name, 4 no answer."""

from __future__ import annotations

import sys

import dns.exception
import dns.resolver


def main() -> int:
    """Print the answers, one a line."""
    name, kind = sys.argv[1:]
    try:
        answer = dns.resolver.resolve(name, kind, lifetime=5)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
        print(f"{type(error).__name__}: {name} {kind}")
        return 3
    except dns.exception.DNSException as error:
        print(f"no answer: {type(error).__name__}")
        return 4
    for record in answer:
        print(f"{name} {kind} {record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
