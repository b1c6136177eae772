"""Side-by-side measurements of the daemon and its peers: `python -m benchmarks` writes RESULTS.md and results.json."""
