"""What the file says: text in, `Notebook` with its graph and faults out. Pure; the same text gives the same value."""
