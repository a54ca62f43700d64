"""Papers: bills, orders, letters, from templates to text, HTML and PDF."""
