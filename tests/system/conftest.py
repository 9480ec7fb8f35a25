"""The caller whom most tests here have."""

from collections.abc import AsyncIterator

import pytest

from devstack.caller import Caller, joined
from tests.support.call_steps import greeted
from tests.support.local_stack import LocalStack


@pytest.fixture
async def caller(stack: LocalStack) -> AsyncIterator[Caller]:
    """A caller who has heard the greeting."""
    async with joined(stack.page_url) as present:
        await greeted(present)
        yield present
