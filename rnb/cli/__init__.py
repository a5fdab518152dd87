"""What people type: click commands, no logic."""
