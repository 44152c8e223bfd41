"""Deploys one version and is killed on the way, by whoever started it: FOLDER VERSION as arguments."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.install.world import PlainServer, World

if __name__ == "__main__":
    folder, version = Path(sys.argv[1]), int(sys.argv[2])
    server = PlainServer(folder / "server")
    World(folder).deployer({"web": server.make}, look=server.look).deploy("web", "main", version)
