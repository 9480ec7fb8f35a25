"""The tables' history: expand first, contract when no process of the last version is left."""
