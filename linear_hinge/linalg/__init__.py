"""Products and sums with the same bits on any number of threads, and batches of rows."""
