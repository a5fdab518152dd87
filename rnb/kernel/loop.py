"""Async cells: one event loop for the life of the kernel, so that what one cell opened the next can await."""

from __future__ import annotations

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

_loop: asyncio.AbstractEventLoop | None = None


def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of `coroutine`. An interrupt ends its task, and the loop can go on with the next."""
    global _loop
    if _loop is None or _loop.is_closed():
        _loop = asyncio.new_event_loop()
        asyncio.set_event_loop(_loop)
    task = _loop.create_task(_await(coroutine))
    try:
        return _loop.run_until_complete(task)
    except KeyboardInterrupt:
        if not task.done():
            task.cancel()
            _loop.run_until_complete(asyncio.wait([task]))
        raise


async def _await(awaitable: Any) -> Any:
    return await awaitable


def close() -> None:
    """At the end of the kernel: tell tasks that were left over."""
    if _loop is None or _loop.is_closed():
        return
    left = asyncio.all_tasks(_loop)
    for task in left:
        task.cancel()
    if left:
        _loop.run_until_complete(asyncio.wait(left))
    _loop.run_until_complete(_loop.shutdown_asyncgens())
    _loop.close()
