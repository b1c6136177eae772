"""The numbered migrations; each file ends by setting `user_version` to its own number."""
