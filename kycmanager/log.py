"""The log: structured lines with correlation ids, and nothing in them that a customer has told us."""

import asyncio
import itertools
import logging
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, ProcessorReturnValue, WrappedLogger

from kycmanager.config import Logging

correlation: ContextVar[str] = ContextVar("correlation", default="")
"""The correlation id of the request being worked on, "" outside of one."""

PRIVATE_KEYS = frozenset(
    {
        *("answers", "answer", "comment", "reason", "name", "description", "file_name", "original_name", "purpose"),
        *("data", "request", "reply", "body", "record", "details", "form_schema", "requirements", "params", "row"),
        *("token", "__token", "authorization", "secret", "password", "key", "cookie", "headers", "query", "url"),
        *("email", "phone", "address", "birthday", "country"),
    },
)
"""Names whose values never reach the log, at any depth."""

REDACTED = "[redacted]"

FAILED = 500
"""A status from here on is a failure of the daemon, not of its caller."""

FAILURES_PER_SECOND = 20
"""Lines of failed commands in one second; the figures count them all."""

_TEXT_LENGTH_MAX = 300
_DEPTH_MAX = 4
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_QUOTED_PART = re.compile(r"(?:(?<=callback) |[(<'\"]).*", re.DOTALL)
_PROCESS = secrets.token_hex(4)
_numbers = itertools.count(1)
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def new_correlation() -> str:
    """Make a correlation id, unique to the process and to the request, and bind it to the running context."""
    value = f"{_PROCESS}-{next(_numbers):x}"
    correlation.set(value)
    return value


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of a module; `logger.info("file stored", document_id=7)`: a constant event, ids as fields."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(logger_name=name)
    return logger


def log_command(name: str, status: int, seconds: float, **ids: int | str) -> None:
    """Tell of one command: 5xx as an error, other refusals as info, successes as debug. `ids` name objects only."""
    level = logging.ERROR if status >= FAILED else logging.INFO if status >= 400 else logging.DEBUG  # noqa: PLR2004
    if _threshold.isEnabledFor(level):
        _commands.log(level, "command", command=name, status=status, ms=round(seconds * 1000, 3), **ids)


class Failures:
    """Logs commands that failed here, so many a second: telling of an overload must not make it worse."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._second = 0
        self._told = 0
        self._left_out = 0

    def __call__(self, name: str, status: int, seconds: float) -> None:
        """Log one, with the number of those left out before; over the bound only count it."""
        second = int(self._clock())
        if second != self._second:
            self._second, self._told = second, 0
        if self._told == FAILURES_PER_SECOND:
            self._left_out += 1
            return
        self._told += 1
        left_out, self._left_out = self._left_out, 0
        log_command(name, status, seconds, **({"left_out": left_out} if left_out else {}))


def configure(settings: Logging, stream: TextIO | None = None) -> None:
    """Send structlog and the standard library's loggers to `stream` (stderr when None) in the form of [logging]."""
    output = stream or sys.stderr
    on_terminal = output.isatty()
    as_console = settings.format == "console" or (settings.format == "auto" and on_terminal)
    level = getattr(logging, settings.level.upper())
    chain: list[structlog.typing.Processor] = [
        _add_correlation,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=on_terminal)
        if as_console
        else structlog.processors.JSONRenderer(serializer=_to_json)
    )
    structlog.configure(
        processors=[*chain, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_name_foreign, *chain],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            use_get_message=False,
        ),
    )
    _threshold.setLevel(level)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.INFO))


def tell_loop_fault(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what the event loop caught (`loop.set_exception_handler`) without the values its messages quote."""
    fault = context.get("exception")
    event = _QUOTED_PART.sub("", str(context.get("message", "fault in the event loop"))).strip()
    get_logger("asyncio").error(event, exc_info=fault if isinstance(fault, BaseException) else None)


def tell_uncaught(_kind: type[BaseException], fault: BaseException, _trace: TracebackType | None) -> None:
    """Log what nobody caught (`sys.excepthook`), without the text it carries."""
    get_logger("process").critical("uncaught fault", exc_info=fault)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> ProcessorReturnValue:
    """Blank private keys, tokens and over-long texts: the second line of defence, the first is not to log them."""
    return {name: _clean(name, value, 0) for name, value in event.items()}


def _clean(name: str, value: Any, depth: int) -> Any:
    if name in PRIVATE_KEYS:
        return REDACTED
    if isinstance(value, str):
        return value if name == "exception" else _TOKEN.sub(REDACTED, value[:_TEXT_LENGTH_MAX])
    if isinstance(value, dict | list | tuple) and depth < _DEPTH_MAX:
        if isinstance(value, dict):
            return {str(key): _clean(str(key), item, depth + 1) for key, item in value.items()}
        return [_clean("", item, depth + 1) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else REDACTED


def _add_correlation(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if value := correlation.get():
        event.setdefault("correlation", value)
    return event


def _name_foreign(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep a library's constant message without its arguments: they may be what a customer has sent."""
    record: logging.LogRecord = event["_record"]
    event["event"] = str(record.msg)
    event["logger_name"] = record.name
    event["exc_info"] = record.exc_info
    event.pop("positional_args", None)
    return event


def _tell_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if exc_info := _exc_info(event.pop("exc_info", None)):
        event["exception"] = describe_exception(exc_info[1])
    return event


def _exc_info(value: Any) -> _ExcInfo | None:
    if isinstance(value, BaseException):
        return type(value), value, value.__traceback__
    found = value if isinstance(value, tuple) else sys.exc_info() if value else None
    return found if found and found[0] is not None else None


def describe_exception(fault: BaseException) -> str:
    """Name an exception, its causes and where they were raised; their texts may quote personal data and stay out."""
    parts = []
    told: set[int] = set()
    current: BaseException | None = fault
    while current is not None and id(current) not in told:  # an exception may be its own cause
        told.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)
        places = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        parts.append("\n".join([*places, f"{type(current).__qualname__}{_system_reason(current)}"]))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nwhile handling\n".join(reversed(parts))


def _system_reason(fault: BaseException) -> str:
    """Give the operating system's or SQLite's own word for a fault: it is one of a fixed list."""
    word = fault.strerror if isinstance(fault, OSError) else getattr(fault, "sqlite_errorname", None)
    return f": {word}" if word else ""


def _to_json(event: MutableMapping[str, Any], **_options: Any) -> str:
    return msgspec.json.encode(event).decode()


_commands = get_logger("command")
_threshold = logging.getLogger("kycmanager")  # asked first: most commands are successes nobody wants to read of
