"""Claims about the equations, on arrays."""
