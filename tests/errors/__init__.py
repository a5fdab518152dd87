"""Errors by their codes, the log and spans."""
