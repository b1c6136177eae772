"""What the daemon is measured beside: limits, and services that a user would write."""
