"""The stellar.toml of SEP-1."""

import json

from kycmanager.apis.sep12.settings import DoorSettings


def stellar_toml(settings: DoorSettings, signing_key: str) -> bytes:
    """Return what a wallet needs to find and to trust this door."""
    lines = (
        f"NETWORK_PASSPHRASE={json.dumps(settings.network_passphrase)}",
        f'SIGNING_KEY="{signing_key}"',
        f"WEB_AUTH_ENDPOINT={json.dumps(settings.auth_endpoint)}",
        f"KYC_SERVER={json.dumps(settings.kyc_server)}",
        "CURRENCIES=[]",
        "[DOCUMENTATION]",  # of the operator nothing is known here, but wallet libraries read the table unasked
    )
    return ("\n".join(lines) + "\n").encode()
