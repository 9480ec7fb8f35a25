"""What the examples' backends have in common: effects that happen once, access, a database."""
