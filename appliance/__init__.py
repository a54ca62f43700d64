"""The network appliance: services made of components, one owner of writes."""
