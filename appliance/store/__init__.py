"""Where the appliance keeps what it knows: SQLAlchemy tables in SQLite or PostgreSQL, written by one process."""
