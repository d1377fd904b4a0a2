"""Compiles the rooms where the time goes, with mypyc, where a C compiler is at hand.

    wire/ protocols/ model/ capture.py …  ──mypyc──▶ C ──▶ pingpong/**/*.so, used instead

The source stays as it is, and so does what it does: where nothing can be compiled, the same files
run as plain Python, several times slower.  ``pingpong --version`` says which of them runs.

    PINGPONG_COMPILE=0   do not compile
    PINGPONG_COMPILE=1   fail if it cannot be compiled
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Where the time of a long capture goes.  What is not listed (hints, the rules of verdicts, views
# that draw pictures) serves one message, or one connection, at a time.
COMPILED = (
    "pingpong/model/*.py",
    "pingpong/capture.py",
    "pingpong/calls/exchanges.py",
    "pingpong/calls/ledger.py",
    "pingpong/calls/totals.py",
    "pingpong/calls/filters.py",
    # Diagnosis is a Shown.  This is from before Shown allowed plain subclasses: see model/shown.py.
    "pingpong/verdicts/verdict.py",
    "pingpong/protocols/*.py",
    "pingpong/protocols/encodings/*.py",
    "pingpong/protocols/framings/*.py",
    "pingpong/protocols/families/*/*.py",
    "pingpong/views/json.py",
    "pingpong/views/ledger.py",
    "pingpong/views/listing.py",
    "pingpong/views/one_line.py",
    "pingpong/views/text.py",
    "pingpong/wire/*.py",
)

# Left plain in these rooms: containers.py, because it imports packages that may not be installed,
# which mypyc refuses; newfile.py, because writing files is no faster compiled; and notes and masks,
# because they are made for one message at a time.
PLAIN = (
    *("containers.py", "newfile.py", "explain.py", "losses.py", "purposes.py", "http_heads.py"),
    *("notes.py", "binary_notes.py", "compact_notes.py", "json_notes.py", "masks.py"),
    *("values_notes.py", "hessian2_notes.py", "msgpack_notes.py", "plain_json_notes.py"),
    *("motan_notes.py", "java_stream_notes.py", "value_masks.py"),
    *("shares.py", "before.py", "http1_notes.py", "http2_notes.py", "protobuf_notes.py"),
    *("rpcx_notes.py", "dubbo_notes.py", "motan_head_notes.py", "wrapped_notes.py"),
)


class OnAllCores(build_ext):  # type: ignore[misc]  # setuptools is not typed
    """Compiles the C files of an extension side by side: setuptools does one after the other."""

    def build_extensions(self) -> None:
        """Build as setuptools does, but with a compiler that takes several files at once."""
        compile_some = self.compiler.compile

        def compile_all(sources: list[str], **how: Any) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                made = pool.map(lambda source: compile_some([source], **how), sources)
                return [name for names in made for name in names]

        self.compiler.compile = compile_all
        super().build_extensions()


def why_not() -> str:
    """Why nothing can be compiled here; "" if it can.  Tries it, on a file that wants Python.h."""
    from setuptools import Distribution

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
        except Exception as error:  # whatever a missing compiler raises
            return f"no C compiler ({error})"
    return ""


def extensions() -> list[Extension]:
    """What to compile; nothing if that is not wanted, or not possible.

    Exits with the reason if it is not possible and PINGPONG_COMPILE=1 demands it.
    """
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
        # --config-file= because the project's own settings are for its checks.
        made = mypycify(
            ["--config-file=", "--strict", "--follow-imports=silent", *files],
            opt_level="2",
            debug_level="0",
            # One C file per module: one for all is 31 MB, and keeps one core busy for minutes.
            multi_file=True,
            # Inside the package, because scapy's loader wants one name in top_level.txt.
            group_name="pingpong.compiled",
        )
        for one in made:
            one.include_dirs.append(str(Path("build", "pingpong")))
        return list(made)
    if wanted == "1":
        sys.exit(f"pingpong cannot be compiled: {reason}")
    print(f"pingpong is not compiled, and slower for it: {reason}", file=sys.stderr)
    return []


setup(ext_modules=extensions(), cmdclass={"build_ext": OnAllCores})
