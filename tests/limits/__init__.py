"""Limits and the sandbox: each is broken by a notebook."""
