"""The catalogues of the translations, and what makes them: ``make translations`` or ``python -m appliance.locale``."""
