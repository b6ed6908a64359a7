"""Settings of the SDK: arguments first, then the environment (`GENSCOPE_*`), then defaults. See docs/delivery.md."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from genscope.sdk import notices

MIB: Final = 1024 * 1024
#: Seconds of any setting at most: sockets take up to 2**31 ms.
LONGEST: Final = 1_000_000.0
#: What would not be in the address of a server, to which paths are added.
_NO_ADDRESS: Final = frozenset("?# \t\r\n")
#: What every setting's variable begins with: `sample_rate` is `GENSCOPE_SAMPLE_RATE`.
PREFIX: Final = "GENSCOPE_"

#: Settings that may hold a secret, an address before its `@`.
UNTOLD: Final = frozenset({"secret_key", "url"})

#: Gets a value before it becomes JSON, and returns what may leave the process.
Mask = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an application can set. Sizes are bytes, times seconds."""

    #: Where the server is.
    url: str = "http://127.0.0.1:4318"
    #: The key pair of a project; none for a server that runs with `--allow-anonymous`.
    public_key: str = ""
    secret_key: str = field(default="", repr=False)
    #: Where the application runs, such as `production`.
    environment: str = ""
    #: Which version of the application this is.
    release: str = ""
    #: False: everything works and nothing is recorded.
    enabled: bool = True
    #: The share of traces that are recorded, chosen by trace id, so that traces are whole.
    sample_rate: float = 1.0
    #: Whether inputs and outputs leave the process.
    capture_input: bool = True
    capture_output: bool = True
    #: Sees every input, output and metadata before it becomes JSON. As a variable: `package.module:function`.
    mask: Mask | None = None
    #: The longest text of a value; a longer one is cut and marked with its length.
    max_value_bytes: int = 8 * MIB
    #: How much may wait to be sent. Beyond it the newest are dropped and counted.
    buffer_bytes: int = 64 * MIB
    #: How long something may wait for company before it is sent.
    flush_interval: float = 1.0
    #: How long one request may take to connect, and to be answered.
    timeout: float = 10.0
    #: How long the end of the process may wait for what is not sent yet.
    exit_timeout: float = 5.0
    #: Tell in the log what is sent.
    debug: bool = False

    @classmethod
    def read(cls, **given: Any) -> Settings:
        """Return settings of what is given (None: not given), else of the environment.

        A bad value is logged, and the default holds, or what is in `CAREFUL`.
        """
        values: dict[str, Any] = {}
        for name, (read, expected) in RULES.items():
            value = given.get(name)
            source, value = (name, value) if value is not None else (PREFIX + name.upper(), _variable(name))
            if value is None:
                continue
            try:
                values[name] = read(value)
            except Exception:  # a mask's module may raise anything
                told = "…" if name in UNTOLD else value
                holds = "contents stay in the process" if name in CAREFUL else "the default holds"
                notices.warn("%s %r is not %s; %s", source, told, expected, holds)
                if name in CAREFUL:
                    values[name] = CAREFUL[name]
        for name in given.keys() - RULES.keys():
            notices.warn("there is no setting %s; known are %s", name, ", ".join(RULES))
        return cls(**values)


def _variable(name: str) -> str | None:
    """Return a setting as the environment has it; an empty variable is none."""
    return os.environ.get(PREFIX + name.upper(), "").strip() or None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.strip()


def _address(value: object) -> str:
    address = _text(value).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError
    if "@" in parts.netloc or not _NO_ADDRESS.isdisjoint(address):
        raise ValueError
    return address


def _switch(value: object) -> bool:
    return {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}[
        str(value).strip().lower()
    ]


def _share(value: Any) -> float:
    share = float(value)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not 0 <= seconds <= LONGEST:
        raise ValueError
    return seconds


def _duration(value: Any) -> float:
    if (seconds := _seconds(value)) == 0:
        raise ValueError
    return seconds


def _size(value: Any) -> int:
    size = int(value)
    if size <= 0:
        raise ValueError
    return size


def _mask(value: Any) -> Mask:
    function: Mask = pkgutil.resolve_name(value) if isinstance(value, str) else value
    if not callable(function):
        raise TypeError
    return function


def _unknown(_value: object) -> object:
    raise LookupError("there is no such mask")


#: What holds instead of a bad value where the default might let out what was to stay.
CAREFUL: Final[dict[str, Any]] = {"mask": _unknown, "capture_input": False, "capture_output": False}
#: How each setting is read, and what to tell of one that cannot be.
RULES: Final[dict[str, tuple[Callable[[Any], Any], str]]] = {
    "url": (_address, "an address such as http://127.0.0.1:4318"),
    "public_key": (_text, "text"),
    "secret_key": (_text, "text"),
    "environment": (_text, "text"),
    "release": (_text, "text"),
    "enabled": (_switch, "true or false"),
    "sample_rate": (_share, "a number from 0 to 1"),
    "capture_input": (_switch, "true or false"),
    "capture_output": (_switch, "true or false"),
    "mask": (_mask, "a function, or its name as package.module:function"),
    "max_value_bytes": (_size, "a number of bytes"),
    "buffer_bytes": (_size, "a number of bytes"),
    "flush_interval": (_seconds, "a number of seconds"),
    "timeout": (_duration, "a number of seconds, more than 0"),
    "exit_timeout": (_seconds, "a number of seconds"),
    "debug": (_switch, "true or false"),
}
