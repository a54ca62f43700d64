"""What people see in a terminal: a Textual shell, its widgets, and the client of the daemon."""
