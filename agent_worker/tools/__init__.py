"""The one path by which anything is done for a caller."""
