"""Tools: every tool invocation goes through the gate, the one path by which a tool can run."""
