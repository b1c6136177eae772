"""`kycmanager demo`: start a daemon, play the life of one customer on it, compare every reply, clean up."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console

from kycmanager.cli.faults import CliError, UsageError
from kycmanager.cli.output import complain
from kycmanager.cli.settings import make_data_folder
from kycmanager.client import ClientError
from kycmanager.config import load
from kycmanager.demo.daemon import DaemonFailed, DemoDaemon, Ready
from kycmanager.demo.day import play
from kycmanager.demo.people import people
from kycmanager.demo.story import WIDTH, Story, Unexpected, shown
from kycmanager.tokens.keys import load_keys

COMMAND = (sys.executable, "-m", "kycmanager")
"""How the daemon is started: the same program with the same interpreter."""


def main(args: argparse.Namespace) -> int:
    """Play the day; 0 when everything was as the story says."""
    console = Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else WIDTH)
    return Demo(command=COMMAND, data=args.data, keep=args.keep, verbose=args.verbose, console=console).run()


class Demo(Struct, frozen=True, kw_only=True):
    """One performance. `command` starts the command line of the daemon; `data` None means a temporary folder."""

    command: Sequence[str]
    data: Path | None
    keep: bool
    verbose: bool
    console: Console

    def run(self) -> int:
        """Play it and clean up, however it ends: the daemon stopped, a temporary folder removed. Raises CliError."""
        folder = self._folder()
        try:
            return asyncio.run(self._play(folder))
        except asyncio.CancelledError:
            complain("stopped before the end of the day; start it again when you like")
            return 1
        finally:
            if self.data is None and not self.keep:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self) -> Path:
        if self.data is None:
            return Path(tempfile.mkdtemp(prefix="kycmanager-demo-"))
        make_data_folder(self.data)
        if any(self.data.iterdir()):
            raise UsageError(f"--data: {self.data} is not empty; the day begins with nothing, so name a new folder")
        return self.data

    async def _play(self, folder: Path) -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        story = Story(self.console, verbose=self.verbose)
        daemon = DemoDaemon(self.command, folder)
        try:
            ready = await daemon.start()
            await self._day(story, daemon, ready)
            if self.keep:
                daemon.leave()
                self._tell_how_to_go_on(story, daemon, ready)
            else:
                story.scene("Night")
                story.tell("The daemon", "stops when it is asked to", came=daemon.stop(), expected=0)
            story.remark(f"\n{story.lines} lines, each compared with the reply it tells of.")
        except Unexpected as fault:
            return _went_wrong(fault.line, shown(fault.expected), shown(fault.came))
        except ClientError as fault:
            return _went_wrong(f"after {story.lines} lines", "an answer", str(fault))
        except DaemonFailed as fault:
            raise CliError(f"{fault}; mend that, then start the demo again") from None
        finally:
            daemon.stop()
        return 0

    async def _day(self, story: Story, daemon: DemoDaemon, ready: Ready) -> None:
        story.remark("A day at acme, played against a daemon started for it.")
        story.trace("daemon", "", f"serves TCP at {ready.tcp[1]}, HTTP at {ready.http[1]}, data in {daemon.folder}")
        key = load_keys(load(daemon.config, {}).tokens, daemon.folder).signing
        async with people(story, ready, key) as everybody:
            await play(story, everybody)

    def _tell_how_to_go_on(self, story: Story, daemon: DemoDaemon, ready: Ready) -> None:
        options = f"--config {daemon.config} --data {daemon.folder}"
        story.scene("The daemon goes on")
        story.remark(f"TCP {ready.tcp[0]}:{ready.tcp[1]}, HTTP http://{ready.http[0]}:{ready.http[1]}/docs")
        story.remark(f"a token: kycmanager token issue {options} --session admin --id 1")
        story.remark(f"its end:  kill {ready.pid} && rm -r {daemon.folder}")


def _went_wrong(where: str, expected: str, came: str) -> int:
    complain(f"the day went wrong: {where}\n  expected: {expected}\n  came:     {came}")
    return 1
