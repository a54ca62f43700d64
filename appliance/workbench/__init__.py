"""The network workbench: edit a configuration, compile and prove it, trace packets, compare, run labs.

What it works out (``checking``, ``compiling``, ``comparing``, ``tracing``,
``running``) is pure and knows no screen; ``lanes`` carries it to processes of
their own, so that keys stay quick; ``editor``, ``panels`` and ``screen`` show it.
"""
