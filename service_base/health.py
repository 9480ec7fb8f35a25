"""`/healthz` (the process lives) and `/readyz` (it can do its work)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[None]]
"""Returns when the part is ready; raises with a plain reason when it is not."""

CHECK_TIMEOUT_S = 2.0


def health_routes(checks: Mapping[str, Check]) -> list[Route]:
    """
    The two health routes.

    Args: checks: by the part's name. `/readyz` runs them side by side, each for 2 s at most;
        200 when all pass, else 503; the body says `ok` or the reason for each part.
    """

    async def run(check: Check) -> str:
        try:
            await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except TimeoutError:
            return f"no answer within {CHECK_TIMEOUT_S:g} s"
        except Exception as error:
            return str(error) or type(error).__name__
        return "ok"

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        results = await asyncio.gather(*(run(check) for check in checks.values()))
        parts = dict(zip(checks, results, strict=True))
        ready = all(result == "ok" for result in results)
        return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
