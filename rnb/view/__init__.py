"""What people look at: the read-only server and its page. Nothing here can change a notebook or reach its kernel."""
