"""docs/security.md says what its program finds: the facts of the cheap cases, no times."""

from __future__ import annotations

import pytest
import security

pytestmark = pytest.mark.once

needs_cases = pytest.mark.skipif(
    not security.is_here(), reason=f"the attacks are not on this machine ({security.CASES})"
)


@needs_cases
@pytest.mark.parametrize(
    "case", [one for one in security.LIST if not one.slow], ids=lambda one: one.name
)
def test_the_page_says_what_is_so(case: security.Case) -> None:
    try:
        now = security.answer(case)
    except security.Skip as why:
        pytest.skip(str(why))
    assert security.recorded()[case.name] == now
    assert "**" not in now  # what is bold is wrong


def test_every_case_has_its_row() -> None:
    assert list(security.recorded()) == [one.name for one in security.LIST]
