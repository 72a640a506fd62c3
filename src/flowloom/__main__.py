"""`python -m flowloom` is the command `flowloom`."""

from flowloom.cli import main

main()
