"""The only public door: admits a caller, mints a room token, serves the web client."""
