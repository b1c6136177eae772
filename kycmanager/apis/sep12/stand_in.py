"""A stand-in for Horizon: the accounts it is told of, and no network. For tests and for the demo."""

from typing import Self

from aiohttp import web


class HorizonStandIn:
    """Answers GET /accounts/{id} on an address of its own; use it as an async context manager."""

    def __init__(self) -> None:
        self.accounts: dict[str, tuple[int, dict[str, int]]] = {}
        """Account -> (medium threshold, weights by key)."""
        self.fault: int | str = 0
        """A status to answer, or a body that is no account, instead of the truth."""
        self.asked: list[str] = []
        self._runner: web.ServerRunner | None = None
        self.url = ""

    def put(self, account: str, medium: int = 0, signers: dict[str, int] | None = None) -> None:
        """Let the network have an account; its own key with weight 1 unless told otherwise."""
        self.accounts[account] = (medium, signers if signers is not None else {account: 1})

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        account = request.path.rpartition("/")[2]
        self.asked.append(account)
        if isinstance(self.fault, str):
            return web.Response(text=self.fault)
        if self.fault:
            return web.Response(status=self.fault)
        found = self.accounts.get(account)
        if found is None:
            return web.json_response({"status": 404, "title": "Resource Missing"}, status=404)
        medium, signers = found
        return web.json_response(
            {
                "id": account,
                "thresholds": {"low_threshold": 0, "med_threshold": medium, "high_threshold": 0},
                "signers": [
                    {"key": key, "weight": weight, "type": "ed25519_public_key"} for key, weight in signers.items()
                ],
            }
        )
