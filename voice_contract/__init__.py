"""What crosses a process or reaches the browser. Pydantic models and names; no I/O."""
