"""A remote model in the loop: what it is sent, and what of its reply the caller hears."""
