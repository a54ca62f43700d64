"""Pure forwarding, compiled: open-loop traffic through FIFO links and static next hops, as the engine has it."""
