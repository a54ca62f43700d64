"""What a service is written with: kinds, records, commands, listings, components. Imports no database and no screen."""
