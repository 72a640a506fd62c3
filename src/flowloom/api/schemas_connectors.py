"""The models of connectors in the API's document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from flowloom.api import schemas
from flowloom.services import connector_documents
from flowloom.services.connector_documents import ConnectorDocument

Description = Annotated[str, StringConstraints(max_length=10_000)]


class ConnectorUpdate(schemas.Body):
    """What is left out stays; a document is replaced whole."""

    name: schemas.Name | None = None
    description: Description | None = None
    document: ConnectorDocument | None = Field(
        default=None, description="Connections with this connector follow it; steps keep what they copied"
    )

    def given(self) -> dict[str, Any]:
        """The fields that were sent, the document as it is kept. Raises Invalid."""
        sent = {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}
        if self.document is not None:
            sent["document"] = connector_documents.kept(self.document)
        return sent


class ConnectorCreate(ConnectorUpdate):
    name: schemas.Name
    description: Description = ""
    document: ConnectorDocument = ConnectorDocument()

    def given(self) -> dict[str, Any]:
        """All fields, the document as it is kept. Raises Invalid."""
        document = connector_documents.kept(self.document)
        return {"name": self.name, "description": self.description, "document": document}


class ConnectorImport(schemas.Body):
    """A description of an API that somebody else wrote. Nothing of it is executed, and nothing is fetched."""

    format: Literal["openapi", "postman"] | None = Field(
        default=None, description="An OpenAPI document (2.0, 3.0, 3.1) or a Postman collection (2.0, 2.1)"
    )
    document: dict[str, Any] | str = Field(description="The document, or its text: JSON or YAML")
    name: schemas.Name | None = Field(default=None, description="The document's title unless given")
    dry_run: bool = Field(default=False, description="Only answer what would be made")


class ConnectorSummary(schemas.Record):
    id: int
    name: str
    description: str
    endpoints_count: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


class Connector(ConnectorSummary):
    document: ConnectorDocument


class ConnectorImported(schemas.Record):
    connector_id: int | None = Field(default=None, description="Absent for a dry run")
    format: Literal["openapi", "postman"]
    name: str
    description: str
    endpoints_count: int
    document: ConnectorDocument
    warnings: list[str] = Field(description="What was left out, and what to look at")
