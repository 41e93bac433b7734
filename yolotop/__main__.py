"""``python -m yolotop``: the same program as the ``yolotop`` command."""

from yolotop.cli.start import run

if __name__ == "__main__":
    run()
