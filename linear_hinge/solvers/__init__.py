"""The solvers: dual ascent, Newton, subgradient descent, streams, and when they end."""
