"""The dialect-neutral trees: frozen values, no behaviour but laws."""
