"""Saved models of every optimizer, which all later versions must load."""
