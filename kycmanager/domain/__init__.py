"""The rules of KYC as pure values and functions: nothing here reads a clock, a socket or a file."""
