"""`python -m lamina` is `lamina`."""

import sys

from lamina.cli import main

if __name__ == "__main__":
    sys.exit(main(program="python -m lamina"))
