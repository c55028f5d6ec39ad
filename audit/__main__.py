"""Run the commands with python -m audit."""

from audit.cli import main

main()
