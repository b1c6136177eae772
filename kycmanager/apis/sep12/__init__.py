"""The door of Stellar wallets: SEP-1, SEP-10 and SEP-12."""
