"""The HTTP door: routes from the command table, uploads, downloads, and what operators ask for."""

from kycmanager.transports.rest.server import RestServer
from kycmanager.transports.rest.settings import RestSettings

__all__ = ["RestServer", "RestSettings"]
