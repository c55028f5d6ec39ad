"""Run the commands with python -m imageledger."""

from imageledger.cli import main

main()
