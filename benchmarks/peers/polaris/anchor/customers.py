"""The integration: one query finds a customer, its three texts are shown."""

from polaris.integrations import CustomerIntegration

from anchor.models import Customer

FIELDS = {
    "first_name": "given or first name",
    "last_name": "family or last name",
    "email_address": "email address",
}


class Customers(CustomerIntegration):
    def get(self, token, request, params, *args, **kwargs):  # noqa: ARG002 - as Polaris calls it
        found = Customer.objects.filter(account=params["account"], memo=params["memo"] or "").first()
        if found is None:
            fields = {name: {"type": "string", "description": told} for name, told in FIELDS.items()}
            return {"status": "NEEDS_INFO", "fields": fields}
        provided = {
            name: {"type": "string", "description": told, "status": found.status} for name, told in FIELDS.items()
        }
        return {"id": str(found.id), "status": found.status, "provided_fields": provided}
