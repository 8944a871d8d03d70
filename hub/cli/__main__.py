"""Lets `python -m hub.cli` stand for `hub`."""

from hub.cli import main

if __name__ == "__main__":
    main(prog_name="hub")
