"""Opening the sockets of the doors; where that fails, it is told which door it was."""

import asyncio
import os
import ssl
from collections.abc import Callable

BACKLOG = 1024


class ListenError(OSError):
    """A door that cannot listen: `option` is the one its address comes from, as in `--tcp`."""

    def __init__(self, option: str, address: tuple[str, int], cause: OSError) -> None:
        number = cause.errno or 0
        # what the loop tells besides repeats the address in words of its own
        super().__init__(number, os.strerror(number) if number > 0 else cause.strerror or str(cause))
        self.option = option
        self.address = address


async def listen(
    option: str,
    address: tuple[str, int],
    factory: Callable[[], asyncio.BaseProtocol],
    context: ssl.SSLContext | None,
) -> asyncio.Server:
    """Listen at an address, with TLS where there is a context; raises ListenError."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, *address, ssl=context, backlog=BACKLOG)
    except OSError as fault:
        raise ListenError(option, address, fault) from fault
