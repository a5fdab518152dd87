"""What is kept: analyses of unchanged files, cached results, history. Everything here may be deleted at any time."""
