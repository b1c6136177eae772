"""What the table of commands looks like from outside: the OpenAPI document, the reference, the typed client."""

from functools import cache
from importlib import resources


@cache
def openapi_bytes() -> bytes:
    """Return the OpenAPI 3.1 document as it was generated and packaged, JSON in UTF-8."""
    return resources.files("kycmanager.contract.generated").joinpath("openapi.json").read_bytes()
