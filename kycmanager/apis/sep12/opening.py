"""The door opened by the settings."""

from pathlib import Path

from kycmanager.apis.sep12.door import Sep12Door, Surroundings
from kycmanager.apis.sep12.settings import DoorSettings
from kycmanager.commands.execute import Executor, Faults
from kycmanager.config import Config, Sep12
from kycmanager.file_ports import FileStore
from kycmanager.ports import Clock
from kycmanager.transports.bearer import WrongToken
from kycmanager.transports.rest.commands import Observe
from kycmanager.transports.rest.settings import RestSettings


def sep12_door(
    config: Config,
    rest: RestSettings,
    *,
    executor: Executor,
    storage: FileStore,
    clock: Clock,
    observe: Observe,
    faults: Faults,
    wrong_token: WrongToken,
    data_dir: Path,
) -> Sep12Door:
    """Return the door as the settings have it. Raises KeyFileError."""
    settings = config.sep12
    return Sep12Door(
        door_settings(settings, rest),
        Surroundings(
            executor=executor,
            storage=storage,
            clock=clock,
            observe=observe,
            faults=faults,
            wrong_token=wrong_token,
            data_dir=data_dir,
            key_file=settings.key_file,
            token_key_file=settings.token_key_file,
            waiting_seconds=config.storage.unattached_hours * 3600,
            allow_private=config.webhooks.allow_private,
        ),
    )


def door_settings(settings: Sep12, rest: RestSettings) -> DoorSettings:
    """Return what the door is told; domains that are left out are those of the public address.

    Wallet libraries look for the home domain with its port, and compare the one they sign in to without.
    """
    return DoorSettings(
        brand=settings.brand,
        url=settings.url,
        home_domain=settings.home_domain or settings.host,
        web_auth_domain=settings.web_auth_domain or settings.domain,
        network_passphrase=settings.network_passphrase,
        horizon=settings.horizon,
        horizon_seconds=settings.horizon_seconds,
        token_seconds=settings.token_seconds,
        rest=rest,
    )
