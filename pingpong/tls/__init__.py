"""TLS, as far as secrets open it: pieces of a connection in, the pieces that were in them out.

    wire/streams ─▶ records ─▶ opened ─▶ pieces of what is inside ─▶ protocols/reader
                                 ▲
              KeyLog: a file of SSLKEYLOGFILE, or a block of a pcapng

What comes out has offsets of its own, that count what was inside; each byte belongs to the packet
in which its record ends.  Whoever reads it need not know that it was encrypted.

Nothing is shown that its tag does not prove.  What cannot be opened says which secret is missing.
"""

from __future__ import annotations

from .keylog import KeyLog
from .records import Opener, Tls

__all__ = ["KeyLog", "Opener", "Tls"]
