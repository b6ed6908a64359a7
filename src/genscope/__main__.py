"""The `genscope` command. Its parts come with the extra `server`, but for `genscope run`; without them it says so."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit 1 with a hint where the server is not installed."""
    if sys.argv[1:2] == ["run"]:
        from genscope.sdk.running import run  # noqa: PLC0415 - the programs of others do not wait for the server's parts

        run(sys.argv[2:])
        return
    try:
        from genscope.cli import main as server  # noqa: PLC0415 - what is missing shall be told, not raised

        server()
    except ModuleNotFoundError as error:
        sys.exit(
            f"genscope: the server is not installed ({error.name} is missing). Install it: pip install 'genscope[server]'. "
            "What there is: genscope run --help"
        )


if __name__ == "__main__":
    main()
