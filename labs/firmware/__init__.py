"""The two microcontroller boards from outside: their modem, their chips in a simulator, their settings."""
