"""Times that more than one process relies on, in seconds."""

JOIN_WITHIN_S = 30
"""How long a caller's token can be used to join."""
SFU_LEEWAY_S = 60
"""The SFU accepts a token for so long after it has expired."""
GRACE_S = 30
"""How long a call waits for a caller who left without hanging up."""
DENY_S = 720
"""How long a caller who was put out stays out: a connected caller's token lives for 10 minutes."""
