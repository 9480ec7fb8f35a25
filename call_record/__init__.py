"""The durable record of calls: their states, their agents, and what was said and done, provably."""
