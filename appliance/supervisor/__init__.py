"""Starts and watches the programs of services: through systemd where it runs, else by a supervisor of our own."""
