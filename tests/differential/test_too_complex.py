"""What is said of programs that the verifier gives up on."""

from __future__ import annotations

import re

import pytest

from skep.errors import TooComplex
from tests.differential import harness
from tests.differential.test_verifier_rules import compiled


def test_too_complex_is_said() -> None:
    body = "n = a\nfor i in range(9000):\n    if n == b:\n        n = a\n    n += i\n"
    program = compiled(f"{body}return n")
    with pytest.raises(TooComplex) as caught:
        harness.run_kernel(program, [[0] * 8])
    message = str(caught.value)
    assert "is too complex for the kernel's verifier" in message
    assert "let the loop make fewer rounds" in message
    assert re.match(r"<source>:[345]:", message)
