"""What the appliance does for its users: one package a service, found by an entry point of ``gerbang.services``."""
