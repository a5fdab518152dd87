"""rnb: reactive notebooks for people who live in their own editor."""
