"""The `genscope` command. Its parts come with the extra `server`; without them it says so."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit 1 with a hint where the server is not installed."""
    try:
        from genscope.cli import main as run  # noqa: PLC0415 - what is missing shall be told, not raised

        run()
    except ModuleNotFoundError as error:
        sys.exit(
            f"genscope: the server is not installed ({error.name} is missing). Install it: pip install 'genscope[server]'"
        )


if __name__ == "__main__":
    main()
