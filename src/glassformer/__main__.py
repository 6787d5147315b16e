"""Lets ``python -m glassformer`` do what ``glassformer`` does."""

from glassformer.cli import main

if __name__ == "__main__":
    main()
