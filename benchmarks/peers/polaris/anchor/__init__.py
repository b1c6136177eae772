"""A Django project around django-polaris: SEP-10 and SEP-12 over SQLite, as lean as it runs."""
