"""`python -m rnb` is `rnb`."""

from rnb.cli import main

main()
