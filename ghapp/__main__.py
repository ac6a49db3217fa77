"""Makes ``python -m ghapp`` the same as ``ghapp``; it holds nothing else."""

from ghapp.cli.main import main

if __name__ == "__main__":
    main(prog_name="ghapp")
