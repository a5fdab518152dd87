"""Who runs the kernels' work: how a kernel's process is begun, and kernels on the workers of a Dask cluster."""
