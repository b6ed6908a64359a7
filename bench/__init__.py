"""Measurements: how fast, how large, how much memory. `make bench` runs them; see docs/performance.md."""
