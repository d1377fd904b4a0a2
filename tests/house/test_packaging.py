"""What pip installed: the facts that scapy's loader and our users rely on."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution

import pytest

import pingpong


@pytest.fixture(scope="module")
def installed() -> Distribution:
    # Not the .egg-info that a build leaves in the checkout: that one has no licence text.
    packages = [path for path in sys.path if path.endswith("site-packages")]
    for found in Distribution.discover(name="pingpong", path=packages):
        return found
    pytest.skip("pingpong is imported from its folder here, not installed")


def test_package_and_metadata_agree_on_the_version(installed: Distribution) -> None:
    assert installed.version == pingpong.__version__


def test_licence_is_one_that_scapy_accepts(installed: Distribution) -> None:
    assert installed.metadata["License-Expression"] == "GPL-2.0-or-later"


def test_licence_text_is_shipped(installed: Distribution) -> None:
    text = installed.read_text("licenses/LICENSE")
    assert text is not None
    assert "GNU GENERAL PUBLIC LICENSE\n                       Version 2" in text


def test_top_level_names_the_one_package(installed: Distribution) -> None:
    # scapy's loader reads this file and nothing else to find the package.
    assert (installed.read_text("top_level.txt") or "").split() == ["pingpong"]


def test_the_command_is_installed(installed: Distribution) -> None:
    scripts = {entry.name: entry.value for entry in installed.entry_points}
    assert scripts == {"pingpong": "pingpong.__main__:main"}


@pytest.mark.parametrize("extra", ["lab", "test"])
def test_extras_keep_jupyter_quick_to_start(installed: Distribution, extra: str) -> None:
    wanted = [line for line in installed.requires or [] if f'extra == "{extra}"' in line]
    assert any(line.startswith("jsonschema<4.25") for line in wanted)


def test_scapy_finds_the_layer(installed: Distribution) -> None:
    # In a process of its own: the loader changes scapy for good.
    code = """
from scapy.config import conf
from scapy.main import load_contrib
conf.exts.load("pingpong")
found = {}
load_contrib("thrift", globals_dict=found)
from pingpong.layers.thrift import Thrift
assert found["Thrift"] is Thrift, "the layer exists twice"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
