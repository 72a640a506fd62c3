"""A step type is one file and one line in the registry, and it explains itself."""

from __future__ import annotations

import pytest
from tests.architecture import sources

from flowloom.steps import contract, registry

NOT_TYPES = {
    *(
        "__init__",
        "answers",
        "aside",
        "contract",
        "conversion",
        "database",
        "file_server",
        "parts",
        "sizes",
        "large",
        "outside",
        "pagination",
        "reading",
        "record_text",
        "records_only",
        "registry",
        "ways",
    ),
    *("request_body", "request_draft", "response_rules", "row_order"),
}

each_type = pytest.mark.parametrize("step_type", registry.TYPES.values(), ids=list(registry.TYPES))


def test_each_file_is_a_type() -> None:
    files = {path.stem for path in (sources.PACKAGE / "steps").glob("*.py")}
    # A name that is a word of Python has an underscore after it.
    assert {name.rstrip("_").replace("_", "-") for name in files - NOT_TYPES} == set(registry.TYPES)


@each_type
def test_a_type_explains_itself(step_type: contract.StepType) -> None:
    assert step_type.title
    assert step_type.help.endswith(".")
    assert step_type.failure.endswith(".")
    assert step_type.microservice == "trigger" or step_type.examples


@each_type
def test_every_field_of_a_config_is_explained(step_type: contract.StepType) -> None:
    fields = step_type.config.model_fields
    assert not [name for name, field in fields.items() if not field.description]
