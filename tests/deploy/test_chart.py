"""What the chart makes of its values, beyond what its linters know."""

from __future__ import annotations

from typing import Any

import helm_python
import pytest
from deploy.lint import chart, dashboard
from prometheus_client import REGISTRY

from flowloom import serving
from flowloom.settings import SECRETS

LEAST = {"existingSecret": "flowloom", "payloads": {"existingClaim": "shared"}}


def made(kind: str, **values: Any) -> list[dict[str, Any]]:
    return [one for one in chart.documents({**LEAST, **values}) if one["kind"] == kind]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "existingSecret must name"),
        ({"existingSecret": "flowloom"}, "large payloads need a place"),
        ({**LEAST, "secretKeys": ["database-url", "nats-url"]}, "secretKeys"),
        ({**LEAST, "secretKeys": ["database-url", "nats-url", "secret-key", "password"]}, "secretKeys"),
        ({**LEAST, "settings": {"FLOWLOOM_PORT": "80"}}, "FLOWLOOM_PORT"),
        ({**LEAST, "settings": {"PORT": "80"}}, "PORT"),
        ({**LEAST, "worker": {"replicas": 3}}, "worker"),
        ({**LEAST, "workers": {"autoscaling": {"by": "queue"}}}, "autoscaling"),
    ],
)
def test_values_that_cannot_work_are_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(helm_python.HelmError, match=why):
        chart.documents(values)


def test_every_key_of_the_secret_is_a_secret_setting() -> None:
    keys = chart.variants()["everything"]["secretKeys"]
    assert {key.replace("-", "_") for key in keys} == SECRETS


def test_workers_are_counted_by_one_alone() -> None:
    for by, expected in (("none", True), ("hpa", False), ("keda", False)):
        found = made("Deployment", workers={"autoscaling": {"by": by}})
        [workers] = [one for one in found if one["metadata"]["name"].endswith("-worker")]
        assert ("replicas" in workers["spec"]) is expected


def test_more_workers_are_called_for_by_metrics_that_exist() -> None:
    [scaled] = made("ScaledObject", workers={"autoscaling": {"by": "keda"}})
    [trigger] = scaled["spec"]["triggers"]
    asked = dashboard.metrics(trigger["metadata"]["query"])
    [scaler] = made("HorizontalPodAutoscaler", workers={"autoscaling": {"by": "hpa"}})
    external = {one["external"]["metric"]["name"] for one in scaler["spec"]["metrics"]}
    assert external < asked <= names()


def names() -> set[str]:
    """The metrics of a process, as Prometheus keeps them."""
    assert serving, "loaded, it has declared them all"
    return {sample for metric in REGISTRY.collect() for sample in _samples(metric)}


def _samples(metric: Any) -> set[str]:
    # A counter that has not counted yet has no sample.
    suffix = "_total" if metric.type == "counter" else ""
    return {f"{metric.name}{suffix}"} | {sample.name for sample in metric.samples}


@pytest.mark.parametrize("query", dashboard.queries())
def test_the_dashboard_asks_for_metrics_that_exist(query: str) -> None:
    asked = dashboard.metrics(query)
    assert asked
    assert asked <= names()


def test_the_dashboard_shows_every_metric_of_flowloom() -> None:
    shown = {name for query in dashboard.queries() for name in dashboard.metrics(query)}
    own = {name for name in names() if name.startswith("flowloom_") and not name.endswith("_created")}
    assert own <= shown, "show it in deploy/grafana/flowloom.json"


def test_metrics_and_readiness_are_not_for_everyone() -> None:
    [ingress] = made("Ingress", ingress={"enabled": True})
    [rule] = ingress["spec"]["rules"]
    leads = {one["path"]: one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
    withheld = leads["/metrics"]
    assert withheld == leads["/readyz"] != leads["/"]
    [service] = [
        one for one in made("Service", ingress={"enabled": True}) if one["metadata"]["name"] == withheld
    ]
    assert "selector" not in service["spec"]


def test_the_database_is_migrated_before_new_pods_come() -> None:
    [job] = made("Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    # The account of the chart is made after the hook.
    assert "serviceAccountName" not in job["spec"]["template"]["spec"]


def test_numbers_reach_the_process_as_they_were_written() -> None:
    [job] = made("Job", settings={"FLOWLOOM_RATE_LIMIT": 12_000_000})
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "FLOWLOOM_RATE_LIMIT", "value": "12000000"} in container["env"]
