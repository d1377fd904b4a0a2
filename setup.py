"""Compiles the rooms where the time goes, with mypyc, where a C compiler is at hand.

    wire/ thrift/ model.py capture.py …  ──mypyc──▶ C ──▶ pingpong/**/*.so, used in their place

The source stays as it is, and so does what it does: where nothing can be compiled, the same
files run as plain Python, several times slower.  ``pingpong --version`` says which runs.

    PINGPONG_COMPILE=0   do not compile
    PINGPONG_COMPILE=1   fail where it cannot be compiled
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension, setup

# What a long capture spends its time in.  The notes, the verdicts and what draws pictures are
# for one message at a time.
COMPILED = (
    "pingpong/model.py",
    "pingpong/capture.py",
    "pingpong/calls/exchanges.py",
    "pingpong/calls/ledger.py",
    "pingpong/calls/totals.py",
    "pingpong/calls/filters.py",
    # A class cannot be plain Python if its base is compiled: Diagnosis is a Shown.
    "pingpong/verdicts/verdict.py",
    "pingpong/protocols/*.py",
    "pingpong/protocols/encodings/*.py",
    "pingpong/protocols/families/thrift/*.py",
    "pingpong/views/json.py",
    "pingpong/views/ledger.py",
    "pingpong/views/listing.py",
    "pingpong/views/one_line.py",
    "pingpong/views/text.py",
    "pingpong/wire/*.py",
)

# Of these rooms: what imports packages that need not be there, which mypyc refuses; what writes
# files, which is no faster compiled; and notes and masks, for one message at a time.
PLAIN = (
    *("containers.py", "newfile.py", "explain.py", "losses.py", "purposes.py", "http_heads.py"),
    *("notes.py", "binary_notes.py", "compact_notes.py", "json_notes.py", "masks.py"),
    "before.py",
)


def why_not() -> str:
    """Why nothing can be compiled here; "" if it can: a program that includes Python.h tells."""
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "try.c")
        source.write_text("#include <Python.h>\nint main(void) { return 0; }\n")
        try:
            command = build_ext(Distribution())
            command.ensure_finalized()
            from setuptools._distutils.ccompiler import new_compiler
            from setuptools._distutils.sysconfig import customize_compiler

            compiler = new_compiler()
            customize_compiler(compiler)
            compiler.compile([str(source)], folder, include_dirs=[sysconfig.get_path("include")])
        except Exception as error:  # whatever a compiler that is not there raises
            return f"no C compiler ({error})"
    return ""


def extensions() -> list[Extension]:
    wanted = os.environ.get("PINGPONG_COMPILE", "")
    if wanted == "0":
        return []
    try:
        from mypyc.build import mypycify
    except ImportError as error:
        reason = f"no mypyc ({error})"
    else:
        reason = why_not()
    if not reason:
        files = [
            str(path)
            for pattern in COMPILED
            for path in sorted(Path().glob(pattern))
            if path.name not in ("__init__.py", *PLAIN)
        ]
        # --config-file= : the project's own settings are for its checks.
        made = mypycify(
            ["--config-file=", "--strict", "--follow-imports=silent", *files],
            opt_level="2",
            debug_level="0",
            # Inside the package: scapy's loader wants one name in top_level.txt.
            group_name="pingpong.compiled",
        )
        return list(made)
    if wanted == "1":
        sys.exit(f"pingpong cannot be compiled: {reason}")
    print(f"pingpong is not compiled, and slower for it: {reason}", file=sys.stderr)
    return []


setup(ext_modules=extensions())
