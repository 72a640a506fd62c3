"""The API's OpenAPI document, which FastAPI makes of what the operations declare.

FastAPI is loaded when the document is asked for: without it a server starts a tenth sooner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from flowloom import __version__
from flowloom.api import callbacks, hooks, routes, schemas


def make(resources: Sequence[routes.Routes]) -> dict[str, Any]:
    """The whole document of these resources, of the webhooks and of the callbacks."""
    from fastapi import APIRouter
    from fastapi.openapi.utils import get_openapi

    router = APIRouter()
    for operation in (operation for resource in resources for operation in resource.operations):
        methods = [method for method in operation.methods or () if method != "HEAD"]
        router.add_api_route(
            operation.path, operation.endpoint, methods=methods, response_model=None, **operation.declared
        )
    spec = get_openapi(title="Flowloom", version=__version__, routes=router.routes)
    return _complete(spec, [model for resource in resources for model in resource.models])


def _complete(spec: dict[str, Any], models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """Add what routes alone do not tell: webhooks and callbacks, the models of bodies, and how to authenticate."""
    spec["paths"].update(hooks.DOCUMENT, **callbacks.DOCUMENT)
    known = spec.setdefault("components", {}).setdefault("schemas", {})
    _add_model(known, schemas.Error)
    for model in models:
        _add_model(known, model)
    spec["components"]["securitySchemes"] = {
        "ApiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"},
        "BearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    spec["security"] = [{"ApiKeyAuth": []}, {"BearerAuth": []}]
    return spec


def _add_model(known: dict[str, Any], model: type[BaseModel]) -> None:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    known.update(schema.pop("$defs", {}))
    known[routes.schema_name(model)] = schema
