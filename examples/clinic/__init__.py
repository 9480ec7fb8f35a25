"""The second example: a doctor's front desk, its backend and the agent that answers its phone."""
