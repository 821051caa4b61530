"""The high-probability lab: what clipping does to the tail of the error."""
