"""`python -m jprs_client.cli`, where the console script is not on the path."""

import sys

from jprs_client.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
