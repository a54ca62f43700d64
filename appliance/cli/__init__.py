"""The verbs of the appliance, one file each, cheap to import."""
