"""What people read and CI keeps: sinks that take events and write a terminal, a log, JSON, JUnit or a notebook file."""
