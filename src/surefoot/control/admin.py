"""The admin application: health, metrics, status, and orders, on its own port, in the supervisor's loop.

Imported after the workers were started: its libraries take longer to import than a worker takes to serve.

Must never: stand on the path of a request, or show a secret.
"""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import ValidationError, convert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from uvicorn import Config, Server

from surefoot.control.explaining import Question
from surefoot.control.metrics import Metrics
from surefoot.control.picture import Picture
from surefoot.errors import DrillError, ExplainError

BACKLOG = 128


class _Server(Server):
    """Uvicorn, but signals are the supervisor's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def application(
    picture: Picture,
    metrics: Metrics,
    status: Callable[[], dict[str, Any]],
    drill: Callable[[bytes], Awaitable[None]],
    explain: Callable[[Question], dict[str, Any]],
    readmit: Callable[[str], bool],
) -> Starlette:
    """The application over what the supervisor knows."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        if picture.ready:
            return PlainTextResponse("ready\n")
        return PlainTextResponse("draining\n" if picture.draining else "not every worker is ready\n", status_code=503)

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def show_status(_: Request) -> Response:
        return JSONResponse(status())

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", show_metrics),
            Route("/status", show_status),
            Route("/explain", _verdicts(explain)),
            Route("/drill", _orders(drill, status), methods=["POST"]),
            Route("/readmit", _lifting(readmit, picture), methods=["POST"]),
        ]
    )


Handler = Callable[[Request], Awaitable[Response]]


def _verdicts(explain: Callable[[Question], dict[str, Any]]) -> Handler:
    async def show_verdicts(request: Request) -> Response:
        asked: dict[str, Any] = dict(request.query_params)
        asked["features"] = [word.strip() for word in asked.get("features", "").split(",") if word.strip()]
        try:
            return JSONResponse(explain(convert(asked, Question, strict=False)))
        except (ExplainError, ValidationError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)

    return show_verdicts


def _orders(drill: Callable[[bytes], Awaitable[None]], status: Callable[[], dict[str, Any]]) -> Handler:
    async def order_drill(request: Request) -> Response:
        try:
            await drill(await request.body())
        except DrillError as error:
            return JSONResponse({"error": str(error)}, status_code=409)
        return JSONResponse({"drill": status()["drill"]})

    return order_drill


def _lifting(readmit: Callable[[str], bool], picture: Picture) -> Handler:
    async def lift(request: Request) -> Response:
        target = request.query_params.get("target", "")
        if not readmit(target):
            suspended = ", ".join(sorted(picture.suspended)) or "none is"
            return JSONResponse(
                {"error": f"no target '{target}' is suspended; suspended: {suspended}"}, status_code=409
            )
        return JSONResponse({"readmitted": target})

    return lift


class Admin:
    """The application, served on a socket that is already bound."""

    def __init__(self, served: Starlette, listening: socket.socket) -> None:
        self._listening = listening
        self._server = _Server(
            Config(
                served,
                log_config=None,
                access_log=False,
                log_level="warning",
                lifespan="off",
                http="httptools",
                ws="none",
                timeout_graceful_shutdown=1,
                backlog=BACKLOG,
            )
        )

    async def serve(self) -> None:
        """Serve until `stop`."""
        await self._server.serve([self._listening])

    def stop(self) -> None:
        """End soon."""
        self._server.should_exit = True
