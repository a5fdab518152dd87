"""What happens outside: watching files, supervising kernels, the one loop that turns actions into effects."""
