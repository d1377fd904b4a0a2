"""A .thrift file, through thriftpy2's parser; what is wrong with it becomes one sentence."""

from __future__ import annotations

import os
from types import ModuleType

import thriftpy2
from thriftpy2.parser.exc import ThriftParserError

from pingpong.errors import IdlError

__all__ = ["load_idl"]


def load_idl(path: str | os.PathLike[str], module_name: str | None = None) -> ModuleType:
    """thriftpy2's module of a .thrift file.

    ``module_name`` ends in "_thrift" and makes it importable; None leaves it anonymous.
    Raises IdlError with the file, the line where thriftpy2 knows it, and the reason.
    """
    where = os.fspath(path)
    try:
        return thriftpy2.load(where, module_name=module_name)
    except OSError as error:
        raise IdlError(
            f"{where}: {error.strerror or 'cannot be read'}", "Is this its path?"
        ) from None
    except UnicodeDecodeError as error:
        raise IdlError(f"{where}: is not UTF-8 at byte {error.start}") from None
    except ThriftParserError as error:
        raise IdlError(f"{where}: {error}") from error
    except Exception as error:
        # Some mistakes are too much for its parser: it then fails in any way at all.
        name = type(error).__name__
        raise IdlError(f"{where}: thriftpy2 cannot make sense of it ({name}: {error})") from error
