"""The process that owns the store: roles, typed commands, the audit log and events, behind an HTTP API."""
