"""What the text of a filter stands for: several values with commas between, or a part of a text that is looked for."""

from __future__ import annotations

import re
from typing import Final

# What LIKE takes as it is.
ESCAPE: Final = "~"
# What a list of values is made of: (an escaped sign, or a comma or other text).
_SIGNS: Final = re.compile(r"\\([\\,])|(,|\\|[^,\\]+)")


def parts(text: str) -> list[str]:
    """The values between the commas; a comma or a backslash of a value itself has a backslash before it."""
    found = [""]
    for escaped, sign in _SIGNS.findall(text):
        if sign == ",":
            found.append("")
        else:
            found[-1] += escaped or sign
    return found


def holding(text: str) -> str:
    """What LIKE compares with to find a text that holds this one."""
    for sign in (ESCAPE, "%", "_"):
        text = text.replace(sign, f"{ESCAPE}{sign}")
    return f"%{text}%"
