"""What a list does, in words: sentences, address tables, one packet's way."""
