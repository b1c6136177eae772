"""A day in the life of the daemon, played against a real one and checked at every line."""
