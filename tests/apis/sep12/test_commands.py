"""`kycmanager sep12`: the example that works, and the wallet that plays."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from anchors import Anchor

from kycmanager.config import load

ROOT = Path(__file__).parents[3]
DEFAULTS = ROOT / "config.toml"
INIT = ("sep12", "init", "--url", "https://kyc.example.com", "--brand", "acme")


def run(*arguments, cwd):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: PLW1510 - the code is what is looked at
        [sys.executable, "-m", "kycmanager", *map(str, arguments)], capture_output=True, text=True, env=env, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("given", ["", "defaults", "[logging]\nlevel = 'error'\n"])
async def test_init_writes_an_example_that_works(tmp_path, horizon, given):
    path = tmp_path / "config.toml"
    if given:
        path.write_text(DEFAULTS.read_text() if given == "defaults" else given)
    code, out, err = run(*INIT, "--data", tmp_path / "data", "--horizon", horizon.url, cwd=tmp_path)
    assert (code, "SIGNING_KEY G" in out) == (0, True), err
    config = load(path, {})
    assert config.sep12.enabled
    assert config.logging.level == ("error" if "error" in given else "info")
    for name in (config.sep12.key_file, config.sep12.token_key_file):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    again = run(*INIT, "--data", tmp_path / "data", cwd=tmp_path)
    assert (again[0], "that is on" in again[2]) == (2, True)
    import msgspec

    table = msgspec.to_builtins(config.sep12)
    async with Anchor(tmp_path / "data", horizon, sep12=table) as anchor:
        assert anchor.app.wallets.keypair.public_key in out
        wallet = await anchor.wallet()
        for name in config.sep12.types:
            assert (await wallet.get(type=name))["fields"], name
        asked = await wallet.get(type="sep31-sender")
        assert asked["fields"]["photo_id_front"]["type"] == "binary"


async def test_what_init_refuses(tmp_path):
    (tmp_path / "config.toml").write_text("not toml")
    code, _, err = run(*INIT, "--data", tmp_path / "data", cwd=tmp_path)
    assert (code, "is not TOML" in err) == (1, True)
    (tmp_path / "config.toml").unlink()
    wrong = ("sep12", "init", "--url", "https://kyc.example.com/x/", "--brand", "acme")
    code, _, err = run(*wrong, "--data", tmp_path / "data", cwd=tmp_path)
    assert (code, "sep12.url" in err) == (1, True)
    assert not (tmp_path / "data").exists()


async def test_a_wallet_plays_the_flow(tmp_path):
    code, out, err = run("sep12", "demo", cwd=tmp_path)
    assert (code, "each compared with the reply" in out) == (0, True), err
    assert "is accepted as a sender" in out


async def test_the_door_needs_its_settings(tmp_path):
    (tmp_path / "config.toml").write_text("[sep12]\nenabled = true\n")
    code, _, err = run("check", "--data", tmp_path / "data", cwd=tmp_path)
    assert (code, "sep12.brand" in err) == (1, True)


async def test_the_library_is_imported_only_where_the_door_is_on():
    code = "import sys, kycmanager.app, kycmanager.cli.sep12; assert 'stellar_sdk' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
