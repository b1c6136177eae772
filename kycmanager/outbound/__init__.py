"""What the daemon sends by itself: which addresses it may call, the calls, their signatures, and the worker."""
