"""The tests, as a package: some library of ours installs a package of this name, and ours must win."""
