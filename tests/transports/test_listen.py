"""A door that cannot listen says which one it is and why."""

import asyncio
import errno
import socket

import pytest
import uvloop

from kycmanager.transports.listen import ListenError, listen


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


async def test_a_port_in_use():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = taken.getsockname()
        with pytest.raises(ListenError) as caught:
            await listen("--http", address, asyncio.Protocol, None)
    fault = caught.value
    assert (fault.option, fault.address, fault.errno) == ("--http", address, errno.EADDRINUSE)
    assert fault.strerror == "Address already in use"


async def test_a_host_nobody_knows():
    with pytest.raises(ListenError) as caught:
        await listen("--tcp", ("host.invalid", 1), asyncio.Protocol, None)
    assert caught.value.strerror
    assert "Errno 0" not in str(caught.value)


async def test_a_free_port():
    server = await listen("--tcp", ("127.0.0.1", 0), asyncio.Protocol, None)
    assert server.sockets[0].getsockname()[1] > 0
    server.close()
