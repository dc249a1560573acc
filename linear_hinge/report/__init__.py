"""The reports that a user can run: comparisons, tables, the picture of the convergence, versions."""
