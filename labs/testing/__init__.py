"""Labs under test: the words of :mod:`compiler.testing` about a lab's network, and the fixture ``lab`` for pytest."""
