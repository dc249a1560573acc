"""The problem that is solved, and lower bounds of its optimum."""
