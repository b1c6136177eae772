"""The one table of the anchor: a customer is an account with a memo, and has three texts."""

from django.db import models


class Customer(models.Model):  # noqa: DJ008 - nobody prints one
    account = models.CharField(max_length=69)
    memo = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    email_address = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "memo"], name="one_customer")]
