"""Text into better text: fmt, diff, lint, split, convert. Pure, and no character is lost that was not asked to change."""
