"""Makes the base: `python fill.py ACCOUNT COUNT` gives the account so many customers, by memos from 1."""

import sys

import django
from django.core.management import call_command


def main(account: str, count: int) -> None:
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from anchor.models import Customer  # noqa: PLC0415 - once Django is set up

    texts = {"status": "PROCESSING", "first_name": "Ann", "last_name": "Example"}
    Customer.objects.bulk_create(
        [
            Customer(account=account, memo=str(memo), email_address=f"ann{memo}@example.com", **texts)
            for memo in range(1, count + 1)
        ]
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
