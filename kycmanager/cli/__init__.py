"""The sub-commands of the command line, one module each; every `main(args)` returns the exit code."""
