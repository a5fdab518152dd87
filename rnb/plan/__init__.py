"""What must run, and why: (Notebook, World, Event) → (World, Actions). Pure: no file, process, clock or thread."""
