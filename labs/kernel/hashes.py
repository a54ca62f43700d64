"""Packets without the hash that their socket drew, as they would come off a wire.

A TCP socket, and a UDP socket that is connected, gives its packets a hash drawn
at random (``sk_txhash``, net/core/sock.c). A veth passes it on, and a route with
several next hops takes it instead of hashing the ports (``fib_multipath_hash``,
net/ipv4/route.c: ``if (skb->l4_hash)``). A program of three instructions makes
cables forget it (bpf-helpers(7), ``bpf_set_hash_invalid``): then the ports
decide, and simulator and kernel choose the same line.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

__all__ = ["forgetting_program"]

_CALLS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "ppc64le": 361, "s390x": 351}
"""bpf(2) has no function in libc."""
_PROGRAM_LOAD, _CLASSIFIER = 5, 3  # BPF_PROG_LOAD, BPF_PROG_TYPE_SCHED_CLS
_CALL, _MOVE, _EXIT = 0x85, 0xB7, 0x95
_SET_HASH_INVALID = 41
_NO_MATCH = 0
"""The next filter goes on with the packet (tc-bpf(8), without ``direct-action``)."""
_SIZE = 128


def forgetting_program() -> int:
    """A file descriptor of the program, to be closed. OSError where the kernel does not load it."""
    number = _CALLS.get(platform.machine())
    if number is None:
        raise OSError(f"bpf(2) of {platform.machine()} is not known")
    steps = ((_CALL, 0, 0, _SET_HASH_INVALID), (_MOVE, 0, 0, _NO_MATCH), (_EXIT, 0, 0, 0))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=BBhi", *step) for step in steps))
    licence = ctypes.create_string_buffer(b"GPL")
    addresses = ctypes.addressof(program), ctypes.addressof(licence)
    attributes = ctypes.create_string_buffer(struct.pack("=IIQQ", _CLASSIFIER, len(steps), *addresses), _SIZE)
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(number, _PROGRAM_LOAD, attributes, _SIZE)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(descriptor)
