"""The same as the command `genscope`: `python -m genscope.cli`."""

from genscope.cli import main

main()
