"""Claims about steps in place; they run where Keras runs on torch."""
