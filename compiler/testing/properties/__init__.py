"""Properties of a folder: those of ``properties.yaml`` and those of its pytest suite, decided and reported together."""
