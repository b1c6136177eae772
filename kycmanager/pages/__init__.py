"""What the pages of reviewers and customers share: the way to the commands, files, words, forms, headers."""
