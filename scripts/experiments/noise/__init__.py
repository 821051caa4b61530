"""The study of gradient noise."""
