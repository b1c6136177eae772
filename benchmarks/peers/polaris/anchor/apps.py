"""Where Polaris is told of the integration."""

from django.apps import AppConfig


class AnchorConfig(AppConfig):
    name = "anchor"

    def ready(self):
        # Both read the settings, which Django has only now.
        from polaris.integrations import register_integrations  # noqa: PLC0415

        from anchor.customers import Customers  # noqa: PLC0415

        register_integrations(customer=Customers())
