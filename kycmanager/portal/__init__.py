"""The pages of the customers at /portal: what is asked, forms, uploads, what happens next; no rule of its own."""
