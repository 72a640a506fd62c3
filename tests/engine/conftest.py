"""What the tests of runs share: a remote system to send to."""

from collections.abc import AsyncIterator

import pytest
from tests import remote as remotes


@pytest.fixture
async def remote() -> AsyncIterator[remotes.Remote]:
    async with remotes.serving() as opened:
        yield opened
