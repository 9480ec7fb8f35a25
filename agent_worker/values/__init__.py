"""Values that callers say: found in their own words, settled when said, and said back."""
