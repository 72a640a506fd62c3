"""The Helm chart: rendered by Helm's own code, with each of the values in ci/, and checked against the schemas of
Kubernetes and of the operators whose resources it makes."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import helm_python
import yaml

FOLDER = Path(__file__).parents[1] / "helm/flowloom"
WARNING = 2
# Models that were made from the definitions of the operators.
OPERATORS = {
    "ScaledObject": "cloudcoil.models.keda.v1alpha1",
    "ServiceMonitor": "cloudcoil.models.prometheus_operator.v1",
}
Document = dict[str, Any]


def variants() -> Mapping[str, Document]:
    """Values that together switch on everything, by the name of their file."""
    found = sorted((FOLDER / "ci").glob("*-values.yaml"))
    return {path.name.removesuffix("-values.yaml"): yaml.safe_load(path.read_text()) for path in found}


def rendered(values: Document) -> dict[str, str]:
    """What Helm makes of the templates, by file name. Raises helm_python.HelmError."""
    with helm_python.Chart.load(FOLDER) as loaded:
        made: dict[str, str] = loaded.render(values, name="demo", namespace="flows")
    return {Path(name).name: text for name, text in made.items()}


def documents(values: Document) -> list[Document]:
    """The resources that are made of values."""
    texts = [text for name, text in rendered(values).items() if name.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def faults(path: Path) -> Iterator[str]:
    """What Helm and Kubernetes would say to the chart that a Chart.yaml belongs to."""
    for name, values in variants().items():
        # What Helm finds fault with may not even be rendered.
        found = list(lint_faults(path.parent, values)) or _resource_faults(values)
        yield from (f"with {name}: {fault}" for fault in found)


def lint_faults(folder: Path, values: Document) -> Iterator[str]:
    """What `helm lint --strict` says."""
    for said in helm_python.lint(folder, values, strict=True)["messages"]:
        if said["severity"] >= WARNING:
            yield f"{said['path']}: {said['error']}"


def _resource_faults(values: Document) -> Iterator[str]:
    for document in documents(values):
        for fault in _refused(document):
            yield f"{document['kind']} {document['metadata']['name']}: {fault}"


def _refused(document: Document) -> Iterator[str]:
    """By the oldest Kubernetes that the chart takes, by the newest that is known, or by an operator."""
    kubernetes = importlib.import_module("kubernetes_validate")
    if operator := OPERATORS.get(document["kind"]):
        yield from _refused_by(operator, document)
        return
    for version in (oldest(), kubernetes.latest_version()):
        try:
            kubernetes.validate(document, version, strict=True)
        except kubernetes.ValidationError as fault:
            yield f"Kubernetes {version}: {'.'.join(map(str, fault.path))}: {fault.message}"


def oldest() -> str:
    """The oldest Kubernetes that Chart.yaml allows."""
    allowed: str = yaml.safe_load((FOLDER / "Chart.yaml").read_text())["kubeVersion"]
    return allowed.removeprefix(">=").rpartition(".")[0]


def _refused_by(operator: str, document: Document) -> Iterator[str]:
    model = getattr(importlib.import_module(operator), document["kind"])
    try:
        model.model_validate(document, extra="forbid")
    except ValueError as fault:
        yield str(fault)
