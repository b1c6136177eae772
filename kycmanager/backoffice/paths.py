"""Where the pages of the reviewers stand."""

PREFIX = "/backoffice"
