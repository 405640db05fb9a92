"""Searches in texts that tests read: a pattern that is not found is an error that shows both."""

import re


def search(pattern: str, text: str, flags: int = 0) -> re.Match[str]:
    """`re.search`, but never None."""
    found = re.search(pattern, text, flags)
    assert found, f"{pattern!r} is not found in {text!r:.2000}"
    return found
