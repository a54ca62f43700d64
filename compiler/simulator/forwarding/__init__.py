"""Pure forwarding, compiled: open-loop traffic through FIFO links and static next hops, packet for packet as the engine."""
