"""Sees that every accepted call has exactly one live agent until it ends; ends what is over."""
