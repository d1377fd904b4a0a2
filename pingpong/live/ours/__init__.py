"""Small clients and servers of our own, for families that no package of Python speaks well.

    speaking.py   sockets, threads, one call after the other: the same for all
    dubbo.py      Dubbo 2, with hessian2
    motan.py      Motan 2, with its "simple" serialization, as motan-go has it
    rpcx.py       rpcx, with MessagePack

Each writes the bytes of its family in one file, and reads with the decoder that reads captures.
They are made to be read and changed, not for production: texts, whole numbers, truth values and
null are all that they carry.  What the real ones wrote is in ``captures/``; the tests hold that
the same call gives the same bytes (``tests/live/test_ours.py``).
"""
