"""Times that more than one process relies on, in seconds."""

JOIN_WITHIN_S = 30
"""How long a caller's token can be used to join."""
SFU_LEEWAY_S = 60
"""How long after it has expired the SFU still accepts a token."""
GRACE_S = 30
"""How long a call waits for a caller who left without hanging up."""
DENY_S = 720
"""How long a caller who was put out stays out. A connected caller's token lives 10 minutes."""
