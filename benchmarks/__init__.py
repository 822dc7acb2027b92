"""Benchmarks: scripts, their dated results, and one page that sets claim beside measurement."""
