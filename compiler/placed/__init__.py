"""YAML whose every word keeps its place, and the readers of its fields: what all of Gerbang's own files stand on."""
