"""`python -m callsheet` is the `callsheet` command."""

from callsheet.cli import main

if __name__ == "__main__":
    main(prog_name="callsheet")
