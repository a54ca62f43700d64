"""A console of a few lines for the tests of the web door: it speaks as Textual's web driver does, and does what it
is told. No imports but the standard library's, so that it is there at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

FILE = b"".join(f"{number},row\n".encode() for number in range(20_000))


def write(kind: bytes, payload: bytes) -> None:
    """One packet."""
    packet = memoryview(kind + len(payload).to_bytes(4, "big") + payload)
    while packet:
        packet = packet[os.write(1, packet) :]


def packed(*texts: str | bytes) -> bytes:
    """As textual's binary encoding has it."""
    parts = [
        b"%d:%s" % (len(one), one) if isinstance(one, bytes) else b"s%d:%s" % (len(one.encode()), one.encode())
        for one in texts
    ]
    return b"t" + b"".join(parts) + b"e"


def read() -> tuple[bytes, bytes]:
    """The next packet; the program ends with its input."""
    head = sys.stdin.buffer.read(5)
    if len(head) < 5:
        sys.exit(0)
    return head[:1], sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))


def obey(words: list[str]) -> None:
    """What the test types."""
    if words[0] == "die":
        sys.stderr.write("╭ locals ╮\n│ password = 'hush' │\nValueError: dead\n")
        sys.stderr.flush()
        os._exit(3)
    elif words[0] == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif words[0] == "flood":
        while True:
            write(b"D", b"x" * 65536)
    elif words[0] == "offer":
        said = {"type": "deliver_file_start", "key": words[1], "path": " ".join(words[2:]), "mime_type": "text/html"}
        write(b"M", json.dumps({**said, "open_method": "browser", "encoding": "", "name": None}).encode())
    elif words[0] == "fork":
        child = subprocess.Popen(["sleep", "600"])
        write(b"D", f"child {child.pid}".encode())
    elif words[0] == "url":
        write(b"M", json.dumps({"type": "open_url", "url": words[1], "new_tab": True}).encode())
    elif words[0] == "gibberish":
        write(b"Z", b"")
    else:
        write(b"D", " ".join(words).encode())


def main() -> None:
    """Say who it is, and obey."""
    os.write(1, b"__GANGLION__\n")
    said = {"argv": sys.argv[1:], "environment": dict(os.environ), "pid": os.getpid(), "folder": os.getcwd()}
    write(b"D", json.dumps(said).encode())
    signal.signal(signal.SIGTERM, lambda *_args: os._exit(0))
    sent = 0
    while True:
        kind, payload = read()
        if kind == b"D":
            obey(payload.decode().split(" "))
            continue
        said = json.loads(payload)
        if said["type"] == "quit":
            time.sleep(0)
            return
        if said["type"] == "deliver_chunk_request":
            if said["key"] == "torn" and sent:
                os._exit(0)
            write(b"P", packed("deliver_chunk", said["key"], FILE[sent : sent + said["size"]]))
            sent += said["size"]
        else:
            write(b"D", json.dumps(said).encode())


if __name__ == "__main__":
    main()
