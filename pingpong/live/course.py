"""Where the course is kept: foo.thrift, the lessons, the captures.

in a checkout     beside the package
installed         in share/pingpong of the environment
"""

from __future__ import annotations

import site
import sys
from pathlib import Path

from pingpong.errors import LiveError

__all__ = ["course_file"]


def course_file(name: str) -> Path:
    """The path of one of the course's files or folders.  Raises LiveError if it is not found."""
    checkout = Path(__file__).resolve().parent.parent.parent
    places = [checkout] if (checkout / "pyproject.toml").is_file() else []
    places += [Path(root) / "share" / "pingpong" for root in (sys.prefix, site.getuserbase())]
    for place in places:
        if (place / name).exists():
            return place / name
    looked = ", ".join(str(place) for place in places)
    raise LiveError(
        f"{name} is not here (looked in {looked})", "Run it from a checkout of pingpong"
    )
