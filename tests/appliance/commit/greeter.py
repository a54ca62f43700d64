"""A small real daemon: it greets on a TCP port, reads again on SIGHUP, and has a validator that is as weak as most.

``greeter.py --check FILE`` looks at the syntax only. A file of names that is
missing is found when the configuration is loaded: a reload then keeps the old
one and goes on, and the next restart dies.
"""

import json
import signal
import socket
import sys
from pathlib import Path


def load(path: str) -> bytes:
    """The greeting. Raises OSError or ValueError."""
    values = json.loads(Path(path).read_text())
    names = Path(values["names"]).read_text().split()
    return f"{values['greeting']} {' '.join(names)}\n".encode()


def check(path: str) -> int:
    try:
        values = json.loads(Path(path).read_text())
        if not 1 <= values["port"] <= 65535:
            raise ValueError(f"there is no port {values['port']}")
    except (OSError, ValueError, KeyError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    return 0


def serve(path: str, port: int | None) -> None:
    said = [load(path)]
    if port is not None:
        signal.alarm(10)  # a shadow does not outlive a killed test

    def again(*_: object) -> None:
        try:
            said[0] = load(path)
            print("reloaded", flush=True)
        except (OSError, ValueError, KeyError) as error:
            print(f"kept the old configuration: {error}", flush=True)

    signal.signal(signal.SIGHUP, again)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.create_server(
        ("127.0.0.1", json.loads(Path(path).read_text())["port"] if port is None else port)
    ) as at:
        print("ready", flush=True)
        while True:
            client, _ = at.accept()
            with client:
                client.sendall(said[0])


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]))
    serve(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
