"""Writes docs/security.md: what an attack found, before and now, and what attacks cost.

    python docs/security.py             makes each attack, and writes the page
    python docs/security.py --check     says whether its facts are still right; exit code 1 if not
    python docs/security.py --costs     runs tests/kit/attacks.py too (an hour), and writes its table

The inputs lie beside the checkout, in ../shared/cases/attacks; "before" is what their README says.
A Case is checked by doing it: a file is redacted and its secret looked for, a disk is full because
it is one of 16 kB in memory, which only the child sees (a mount namespace of its own), a device is
one in a temporary folder.  What this machine cannot do is skipped, and the page keeps what it said.
Facts have no seconds in them: these stand apart.
"""

# ruff: noqa: E501  (a table, a line or two for each case)

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/kit")]

import attacks  # noqa: E402

from pingpong import cli  # noqa: E402

CASES: Final = ROOT.parent / "shared" / "cases" / "attacks"
PAGE: Final = ROOT / "docs" / "security.md"
COSTS: Final = "## What attacks cost\n"
PING: Final = "80010001 00000004 70696e67 00000000 00"


class Skip(Exception):
    """This machine cannot do it: why."""


class Case(NamedTuple):
    """``check`` does it in a temporary folder and says what came of it.  ``cost`` is a command that
    is measured on ``file`` when the page is written; ``slow``: --check leaves it out."""

    name: str
    command: str
    before: str
    check: Callable[[Path], str]
    cost: str = ""
    file: str = ""
    slow: bool = False


def run(*words: object) -> tuple[int, str]:
    """A command's exit code, and all that it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = cli.run([str(word) for word in words])
        except SystemExit as error:  # argparse's
            code = int(error.code or 0)
    return code, said.getvalue()


def child(*words: object, disk: Path | None = None, **options: object) -> tuple[int, str]:
    """The same in a child; ``disk``: a folder that is a disk of 16 kB there, and TMPDIR."""
    where = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
    before: list[str] = []
    if disk is not None:
        mount = 'mount -t tmpfs -o size=16k tmpfs "$1" && shift && exec "$@"'
        before = ["unshare", "-rm", "sh", "-c", mount, "sh", str(disk)]
        where["TMPDIR"] = str(disk)
        try:
            subprocess.run([*before, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise Skip("no right to mount a disk that only a child sees") from None
    done = subprocess.run(
        [*before, sys.executable, "-m", "pingpong", *map(str, words)],
        env=where, check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options},  # type: ignore[call-overload]
    )  # fmt: skip
    return done.returncode, ((done.stdout or b"") + (done.stderr or b"")).decode()


def found(name: str) -> Path:
    (path,) = CASES.glob(f"{name}*")
    return path


def a_copy(folder: Path, name: str = "04a") -> Path:
    target = folder / f"copy{found(name).suffix}"
    shutil.copyfile(found(name), target)
    return target


# ── What is checked ──────────────────────────────────────────────────────────────────


def codes(name: str, *commands: str) -> Callable[[Path], str]:
    """Commands on a file: the exit codes, and whether a limit was named."""

    def check(folder: Path) -> str:
        told = []
        for command in commands:
            code, said = run(*command.split(), found(name))
            # In what is said, not in a usage.
            told_so = " ".join(re.findall(r"(?:error|warning): (.*)", said))
            limits = sorted(set(re.findall(r"--max-[a-z]+", told_so)))
            more = f", says {' '.join(limits)}" if limits else ""
            told.append(f"`{command}`: exit code {code}{more}")
        return "; ".join(told)

    return check


def gone(name: str, fields: str, *secrets: str, idl: str = "") -> Callable[[Path], str]:
    """Redacted: is a secret in the capture, in what is said, in a view?"""

    def check(folder: Path) -> str:
        target = folder / "out.pcap"
        more = ("--idl", CASES / idl) if idl else ()
        code, said = run("redact", "-f", fields, found(name), target, *more)
        shown = said.encode() + (target.read_bytes() if target.exists() else b"")
        for view in ("show", "show --json", "messages", "calls", "diagnose"):
            # With the names of the IDL, or without: a view takes them as redact does.
            shown += run(*view.split(), found(name), "--redact", fields, *more)[1].encode()
        left = [one for one in secrets if one.encode() in shown]
        which = f"**{', '.join(left)} is there**" if left else "in no output"
        return f"{which}; exit code {code}"

    return check


def untouched(folder: Path) -> str:
    path = a_copy(folder)
    before = path.read_bytes()
    code, _ = run("record", path, "--force", "-i", "nosuch")
    kept = "as it was" if path.read_bytes() == before else "**another file**"
    return f"{kept}; exit code {code}"


def special_files(folder: Path) -> str:
    source, told = found("09"), []
    link, behind = folder / "link", folder / "behind"
    behind.write_bytes(b"")
    link.symlink_to(behind)
    code, _ = run("redact", "-f", "login.2", "--", source, link)
    told.append(f"symlink: {'stays' if link.is_symlink() else '**replaced**'}, exit code {code}")
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        code, _ = run("redact", "-f", "login.2", "--", source, pipe)
    finally:
        os.close(reader)
    is_one = stat.S_ISFIFO(pipe.stat().st_mode)
    told.append(f"FIFO: {'stays' if is_one else '**replaced**'}, exit code {code}")
    node = folder / "node"
    try:
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except (OSError, AttributeError):
        raise Skip("no right to make a device node") from None
    code, _ = run("redact", "-f", "login.2", "--", source, node)
    is_one = stat.S_ISCHR(node.stat().st_mode)
    told.append(f"device: {'stays' if is_one else '**replaced**'}, exit code {code}")
    return "; ".join(told)


def in_place(folder: Path) -> str:
    path = a_copy(folder)
    before = path.read_bytes()
    code, _ = run("redact", "-f", "*.*", path, path)
    kept = "refused" if path.read_bytes() == before and code == 2 else "**written**"
    path.chmod(0o600)
    out = folder / "out.pcap"
    run("redact", "-f", "*.*", path, out)
    return f"{kept}, exit code {code}; OUT of an input of 0600 is {out.stat().st_mode & 0o777:04o}"


def checksum(folder: Path) -> str:
    """Whatever the PIN was, the output is the same."""
    data = found("03n").read_bytes()
    pins = set(re.findall(rb"(?<![0-9])[0-9]{4}(?![0-9])", data))
    outputs = set()
    for pin in (b"1111", b"2718", b"9043"):
        source, target = folder / f"{pin.decode()}.pcap", folder / f"{pin.decode()}.out"
        changed = data
        for one in pins:
            changed = changed.replace(one, pin)
        source.write_bytes(changed)
        run("redact", "-f", "pin.1", source, target)
        outputs.add(target.read_bytes())
    if not pins:
        return "**no PIN in the case**"
    return "another PIN gives the same output" if len(outputs) == 1 else "**the outputs differ**"


def methods(name: str, kind: str) -> Callable[[Path], str]:
    def check(folder: Path) -> str:
        rows = [line.split() for line in run("messages", found(name))[1].splitlines()]
        names = [row[4] for row in rows if len(row) > 5 and row[5] == kind]
        return ", ".join(f"{names.count(one)} {one}" for one in dict.fromkeys(names))

    return check


def clients(folder: Path) -> str:
    rows = [line.split() for line in run("messages", found("09"))[1].splitlines()]
    ends = {row[1] for row in rows if len(row) > 5 and row[5] in ("CALL", "REPLY")}
    return f"client {', '.join(sorted(ends))} in all rows" if len(ends) == 1 else f"**{ends}**"


def full_disk(folder: Path) -> str:
    """What is kept on a disk that is full, and what is written to one."""
    files, disk = [], folder / "disk"
    disk.mkdir()
    for number in (1, 2):
        files.append(folder / f"{number}.pcap")
        files[-1].write_bytes(attacks.pcap(attacks.stream(attacks.PING * 20_000)))
    full = "No space left on device"
    code, said = child("messages", "--jobs", 2, *files, disk=disk)
    rows = said.count("  ping  ")
    whole = "all rows" if rows == 40_000 else f"**{rows} of 40 000 rows**"
    # The one that waits may be done before the other has said anything: then nothing is kept.
    told = [f"`--jobs 2`: {whole}, exit code {code}"]
    with files[0].open("rb") as pipe:
        code, said = child("redact", "-f", "*.*", "-", folder / "out.pcap", disk=disk, stdin=pipe)
    why = "says so" if full in said and "Traceback" not in said else "**does not say so**"
    told.append(f"`redact -`: exit code {code}, {why}")
    out = disk / "out.pcap"
    code, said = child("redact", "-f", "*.*", files[0], out, disk=disk)
    why = "says so" if full in said and "Traceback" not in said else "**does not say so**"
    told.append(f"OUT on a full disk: exit code {code}, {why}")
    return "; ".join(told)


def arrow(folder: Path) -> str:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise Skip("no pyarrow") from None
    path = a_copy(folder)
    before = path.read_bytes()
    code, _ = run("calls", path, "--arrow", path)
    return f"{'its input is as it was' if path.read_bytes() == before else '**lost**'}; exit code {code}"


def closed(folder: Path) -> str:
    if not Path("/dev/full").exists():
        raise Skip("no /dev/full")
    with open("/dev/full", "wb") as full:
        code, said = child("messages", found("09"), stdout=full)
    with_trace = "Traceback" in said
    path = str(found("09"))
    shell = f'exec 0<&-; exec "{sys.executable}" -m pingpong messages -'
    done = subprocess.run(
        ["sh", "-c", shell], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )  # fmt: skip
    shell = f'exec "{sys.executable}" -m pingpong messages "{path}" >&-'
    out = subprocess.run(
        ["sh", "-c", shell], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )  # fmt: skip
    with_trace = with_trace or b"Traceback" in done.stderr + out.stderr
    said = "**a traceback**" if with_trace else "sentences"
    return f"{said}; disk full {code}, no stdin {done.returncode}, no stdout {out.returncode}"


def idls(folder: Path) -> str:
    told = []
    for name in ("laugh20", "nest", "ext400"):
        code, said = run("explain", "--idl", CASES / f"{name}.thrift", "--", PING)
        told.append(f"{name}: exit code {code}")
        if "Traceback" in said:
            told.append("**a traceback**")
    return "; ".join(told)


def broken(folder: Path) -> str:
    """All that row 17 lists: a narrow terminal, a SYN-ACK before its SYN, a flush inside a message,
    a spool."""
    narrow, said = child("diagnose", found("09"), env={"COLUMNS": "1"})
    told = [f"COLUMNS=1: exit code {narrow}" + (", **a traceback**" if "Traceback" in said else "")]
    early = folder / "early.pcap"
    ping, pong = attacks.PING, attacks.PONG
    early.write_bytes(
        attacks.pcap([
            attacks.tcp(False, 4000, 499, attacks.SYN | attacks.ACK, ack=1000),
            attacks.tcp(True, 4000, 999, attacks.SYN),
            attacks.tcp(True, 4000, 1000, attacks.ACK | attacks.PUSH, ping, 500),
            attacks.tcp(False, 4000, 500, attacks.ACK | attacks.PUSH, pong, 1000 + len(ping)),
        ])
    )  # fmt: skip
    rows = run("calls", early, "--json")[1].splitlines()
    one = len(rows) == 1 and '"outcome": "SUCCESS"' in rows[0] and '"flow": 1' in rows[0]
    told.append(f"a SYN-ACK before its SYN: {'1 connection, 1 success' if one else f'**{rows}**'}")
    old = b"\0\0\0\4ping\1\0\0\0\7\x0b\0\1\0\0\0\5hello\0"
    for at in range(1, len(old)):
        packer = zlib.compressobj()
        parts = [old, old[:at], old[at:], old]
        data = b"".join(packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in parts)
        path = folder / "flushed.pcap"
        path.write_bytes(attacks.pcap(attacks.stream(data)))
        count = run("messages", path)[1].count("  ping  ")
        if count != 3:
            told.append(f"**a flush inside a message, at {at}: {count} of 3 messages**")
            break
    else:
        told.append("a flush anywhere in a message: 3 of 3")
    return "; ".join([*told, killed(folder)])


def killed(folder: Path) -> str:
    spool = folder / "spool"
    spool.mkdir()
    secret = b"NFWBZVHZZL"
    words = [sys.executable, "-m", "pingpong", "redact", "-f", "login.2", "-", str(folder / "o")]
    where = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(spool)}
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=where
    ) as one:
        assert one.stdin is not None
        # More than a pipe holds: when it is written, what came first was read.
        one.stdin.write(found("03a").read_bytes() + bytes(1 << 20))
        one.stdin.flush()
        one.send_signal(signal.SIGKILL)
        one.wait()
        with contextlib.suppress(BrokenPipeError):
            one.stdin.close()
    left = [path for path in spool.rglob("*") if path.is_file() and secret in path.read_bytes()]
    return "**the spool is left**" if left else "nothing is left of `redact -`"


_HTTP: Final = ("S3cretAA00", "S3cretAA01")

LIST: Final = (
    Case("01a bomb-show", "`show`, `show -m 1`", "over 6 GB and a MemoryError",
         codes("01a", "show", "show -m 1"), "show", "01a"),
    Case("01b bomb-show-small", "`show`, `show -m 1`", "2.7 GB, 14 s",
         codes("01b", "show", "show -m 1"), "show", "01b"),
    Case("02a", "`record FILE -i nosuch`", "FILE is an empty pcap", untouched),
    Case("02b", "`redact IN OUT`, OUT no regular file", "replaced by a regular file", special_files),
    Case("02c", "`redact IN IN`", "rc 0, the original is gone; an OUT of mode 0600 becomes 0644", in_place),
    Case("03a redact-mapkey", "`redact -f login.2`", "NFWBZVHZZL is in the output",
         gone("03a", "login.2", "NFWBZVHZZL")),
    Case("03b redact-http-loss", "`redact -f '*.*'`", "SKFSFRGGPZHFYKZJP is shown as a head",
         gone("03b", "*.*", "SKFSFRGGPZHFYKZJP")),
    Case("03c redact-swap", "`redact -f '*.*'`", "AYSJPHY stays: masks on the wrong direction",
         gone("03c", "*.*", "AYSJPHY")),
    Case("03e redact-http-target-in-finding", "`redact -f login.2`, views", "TOPSECRETTOKEN on standard error",
         gone("03e", "login.2", "TOPSECRETTOKEN")),
    Case("03h redact-http-path", "`redact -f login.2`", "S3cretAA01 stays", gone("03h", "login.2", *_HTTP)),
    Case("03i redact-http-jsession", "`redact -f login.2`", "S3cretAA01 stays", gone("03i", "login.2", *_HTTP)),
    Case("03j redact-http-useragent", "`redact -f login.2`", "S3cretAA01 stays", gone("03j", "login.2", *_HTTP)),
    Case("03k redact-http-reason", "`redact -f login.2`", "S3cretAA01 stays", gone("03k", "login.2", *_HTTP)),
    Case("03l redact-http-hexline", "`redact -f login.2`", "deadbeefcafe0123 stays",
         gone("03l", "login.2", "S3cretAA00", "deadbeefcafe0123")),
    Case("03m redact-unknown-method", "`redact -f password --idl u.thrift`", "a password stays, rc 0",
         gone("03m", "password", "NTBWEFRJWC", "PWEHHELEFH", "WRLWBWLWFT", idl="u.thrift")),
    Case("03n redact-checksum", "`redact -f pin.1`", "a mended checksum leaves 28 of 10 000 PINs", checksum),
    Case("04a http-loss-madeup", "`messages`", "5 calls missing, a second put that was never sent",
         methods("04a", "CALL")),
    Case("05a search-compact", "`messages`", "160 s/MB", codes("05a", "messages"), "messages", "05a"),
    Case("05c search-theader-96k", "`messages`", "600 s/MB", codes("05c", "messages"), "messages", "05c"),
    Case("06", "`messages --jobs 2`, a full TMPDIR", "rc 0, 2 250 of 40 011 lines, silent", full_disk),
    Case("07a holes-2m", "`messages`", "8.3 s", codes("07a", "messages"), "messages", "07a"),
    Case("07b holes-4m", "`messages`", "34 s: quadratic", codes("07b", "messages"), "messages", "07b"),
    Case("08a halfopen-20k", "`messages`", "quadratic: 60 000 pairs took 30 s", codes("08a", "messages"),
         "messages", "08a", slow=True),
    Case("09 swap-at-close", "`messages`", "calls from the server's address", clients),
    Case("10 udp-leak", "`calls`", "1.5 to 3 kB a pair for ever", codes("10", "calls"), "calls", "10", slow=True),
    Case("11", "`calls --arrow FILE`, FILE its input", "overwrites its input", arrow),
    Case("12b deep900", "`--max-depth 1000`", "RecursionError from 494; a segmentation fault, compiled",
         codes("12b", "messages", "show --max-depth 100", "show --max-depth 1000")),
    Case("13", "`messages`: disk full, stdin or stdout closed", "tracebacks with rc 1", closed),
    Case("14 chunk-extensions", "`messages`", "memory grows with the file", codes("14", "messages"), "messages", "14"),
    Case("16 laugh20, nest, ext400", "`explain --idl`", "8 s and 698 MB from 549 bytes; RecursionError; cubic", idls),
    Case("17", "COLUMNS=1 `diagnose`; a SYN-ACK before its SYN; old binary in zlib, a flush inside a message; kill -9 of `redact -`",
         "IndexError; a connection in two; a message lost; the unredacted capture stays", broken),
)  # fmt: skip


# ── The page ─────────────────────────────────────────────────────────────────────────

_HEAD: Final = """\
# What an attack found, and what attacks cost

An afternoon of attacking pingpong at commit 4639209 found these. “now” is what came of each when
`python docs/security.py` made them again; `--check`, and a test, hold all of it but the seconds.
Each stands for a kind: [tests/kit/attacks.py](../tests/kit/attacks.py) makes others of the kind that cost,
`make search` looks for more. [SECURITY.md](../SECURITY.md) says what is promised.

| case | what is done | before | now | CPU, memory |
|---|---|---|---|---|
"""


def is_here() -> bool:
    return CASES.is_dir()


def answer(case: Case) -> str:
    """What comes of a case.  Raises Skip."""
    with tempfile.TemporaryDirectory() as folder:
        return case.check(Path(folder))


def _cost(case: Case) -> str:
    if not case.cost:
        return ""
    # From a small process: what its parent has counts for a child too.
    code = f"import attacks, pathlib; print(*attacks.run({case.cost!r}, pathlib.Path({str(found(case.file))!r})))"
    where = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/kit'}"}
    done = subprocess.run([sys.executable, "-c", code], env=where, capture_output=True, check=True)
    seconds, memory, _ = done.stdout.split()
    return f"{float(seconds):.1f} s, {int(memory) / 10**6:.0f} MB"


def recorded() -> dict[str, str]:
    """Name of a case → what the page says of it now."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    rows = [line.split(" | ") for line in text.partition(COSTS)[0].splitlines()]
    return {
        row[0].removeprefix("| "): row[3] for row in rows if len(row) == 5 and row[0] != "| case"
    }


def wrong(cases: tuple[Case, ...] = LIST) -> list[str]:
    """The cases of which the page no longer tells the truth, without the slow ones."""
    said, out = recorded(), []
    for case in (one for one in cases if not one.slow):
        try:
            now = answer(case)
        except Skip:
            continue
        if said.get(case.name) != now:
            out.append(f"{case.name}: is {now!r}, the page says {said.get(case.name)!r}")
    return out


def write(costs: str) -> None:
    said, rows = recorded(), []
    for case in LIST:
        try:
            now = answer(case)
        except Skip as why:
            print(f"{case.name}: skipped, {why}", file=sys.stderr)
            now = said.get(case.name, "")
        rows.append(f"| {case.name} | {case.command} | {case.before} | {now} | {_cost(case)} |\n")
    PAGE.write_text(_HEAD + "".join(rows) + "\n" + COSTS + costs, encoding="utf-8")


def main(arguments: list[str]) -> int:
    if not is_here():
        print(f"{CASES}: is not here", file=sys.stderr)
        return 2
    costs = PAGE.read_text(encoding="utf-8").partition(COSTS)[2] if PAGE.exists() else ""
    if arguments == ["--check"]:
        bad = wrong()
        for one in bad:
            print(one, file=sys.stderr)
        return 1 if bad else 0
    if arguments == ["--costs"]:
        table = io.StringIO()
        with contextlib.redirect_stdout(table):
            attacks.main([])
        text, _, rest = costs.partition("| attack |")
        costs = text + table.getvalue() + "\n" + rest.partition("\n\n")[2]
    elif arguments:
        print(__doc__, file=sys.stderr)
        return 2
    write(costs)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
