"""A public wallet library signs in and does its KYC here: @stellar/typescript-wallet-sdk against the real daemon."""

import asyncio
import base64
import json
import socket
from pathlib import Path

import aiohttp
import node
import pytest
from anchors import BRAND, PASSPHRASE, Keypair, png
from running import Process

from kycmanager.apis.sep12.stand_in import HorizonStandIn
from kycmanager.domain.wallet_example import settings_text, templates

HOST = "127.12.0.12"
"""An address of this machine that nothing else uses: a port that was free on it stays free."""
PERSON = {"first_name", "last_name", "birth_date", "email_address", "address_country_code"}
PASSPORT = {"id_type", "id_number", "id_country_code", "photo_id_front"}
NOT_FOUND = [0, "CustomerNotFoundError"]
"""What the library makes of a customer without an id."""


@pytest.fixture(scope="session")
def wallet_program():
    with node.installed(Path(__file__).parent / "wallet_sdk") as folder:
        yield folder


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def play(folder, program, key):
    """Start all there is, and return what the wallet tells."""
    address = f"{HOST}:{free_port()}"
    async with HorizonStandIn() as horizon:
        horizon.put(key.public_key)
        example = settings_text(BRAND, f"http://{address}", PASSPHRASE, horizon.url)
        with Process(folder, "--http", address, config=example) as process:
            headers = {"Authorization": process.issue("manager", 1, BRAND)}
            async with aiohttp.ClientSession(f"http://{address}", headers=headers) as http:
                for template in templates(BRAND):
                    async with http.post("/manager/kyc/templates", json=template) as answer:
                        assert answer.status == 200, await answer.text()
            wallet = await asyncio.create_subprocess_exec(
                "node", "wallet.js", address, key.secret, base64.b64encode(png()).decode(),
                cwd=program, env=node.environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            told, complaints = await wallet.communicate()
            assert wallet.returncode == 0, complaints.decode()
            assert horizon.asked == [key.public_key] * 2
            return address, json.loads(told)


@pytest.mark.timeout(300)  # the packages come over the network
async def test_a_public_wallet_library_does_its_kyc(tmp_path, wallet_program):
    key = Keypair.random()
    address, told = await play(tmp_path / "data", wallet_program, key)

    assert told["toml"]["kycServer"] == f"http://{address}/sep12"
    assert told["toml"]["webAuthEndpoint"] == told["login"]["iss"] == f"http://{address}/sep12/auth"
    assert (told["login"]["sub"], told["memoLogin"]["sub"]) == (key.public_key, f"{key.public_key}:42")

    assert told["unknown"] == NOT_FOUND
    assert (told["added"]["id"], told["added"]["status"]) == (told["id"], "NEEDS_INFO")
    assert set(told["added"]["fields"]) == (PERSON | PASSPORT) - {"first_name", "last_name"}
    assert told["added"]["provided"]["first_name"] == ["string", "PROCESSING"]
    assert (told["updated"]["status"], set(told["updated"]["fields"])) == ("NEEDS_INFO", PASSPORT)
    assert (told["uploaded"]["id"], told["uploaded"]["status"]) == (told["id"], "PROCESSING")
    assert told["uploaded"]["fields"] == []
    assert set(told["uploaded"]["provided"]) == PERSON | PASSPORT
    assert told["uploaded"]["provided"]["photo_id_front"] == ["binary", "PROCESSING"]
    assert told["wrong"][0] == 400
    assert told["wrong"][1].startswith("photo_id_front: ")

    assert told["userUnknown"] == NOT_FOUND
    assert told["userOfAccount"] == [404, "Customer was not found"]
    assert told["user"] == told["registered"] != told["id"]
    assert (told["userDeleted"], told["kept"]) == (NOT_FOUND, "PROCESSING")
    assert told["deleted"] == NOT_FOUND
    assert told["deletedById"] == [404, "Customer was not found"]
