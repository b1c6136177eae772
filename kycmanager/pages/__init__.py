"""What pages of reviewers and customers share: serving, guard, the way to commands, files, words, forms, headers."""
