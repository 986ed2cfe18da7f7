// OpenCL 1.2 has none.
