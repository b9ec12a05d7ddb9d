"""The chart renders, the same each time, to objects that Kubernetes would take."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from kit.stack.paths import ROOT
from tests.unit.helm.chart import CHART, SETS, VALUES, Object, helm, hook_weight, rendered, template

VERSIONS = list(dict.fromkeys(utils.all_versions()))
OLDEST_AND_NEWEST = (VERSIONS[0], VERSIONS[-1])
# The operator's CRD is not among the schemas; what the chart uses of it, strictly.
TEXTS: Any = {"type": "object", "additionalProperties": {"type": "string"}}
SERVICE_MONITOR: Any = {
    "type": "object",
    "additionalProperties": False,
    "required": ["selector", "endpoints"],
    "properties": {
        "selector": {"type": "object", "additionalProperties": False, "properties": {"matchLabels": TEXTS}},
        "namespaceSelector": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"matchNames": {"type": "array", "items": {"type": "string"}}},
        },
        "endpoints": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["port"],
                "properties": {
                    "port": {"type": "string"},
                    "path": {"const": "/metrics"},
                    "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
                },
            },
        },
    },
}
SWITCHES = (
    *("migrations.enabled", "networkPolicy.enabled", "serviceMonitor.enabled", "ingress.enabled"),
    *("api.autoscaling.enabled", "api.podDisruptionBudget.enabled", "worker.podDisruptionBudget.enabled"),
    *("worker.metrics.enabled", "topologySpread.enabled", "serviceAccount.create"),
)
COVERED = {"everything": VERSIONS, "production": OLDEST_AND_NEWEST, "required": OLDEST_AND_NEWEST}


@pytest.fixture(autouse=True, scope="module")
def schemas_read_once() -> Iterator[None]:
    """The validator would read its schemas of a megabyte again for every object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@pytest.mark.parametrize("values", SETS)
def test_lint_finds_nothing(values: str) -> None:
    done = helm("lint", "--strict", CHART, "--values", VALUES / f"{values}.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout + done.stderr


@pytest.mark.parametrize(("values", "version"), [(values, v) for values in SETS for v in COVERED[values]])
def test_every_object_is_valid_for_this_version_of_kubernetes(values: str, version: str) -> None:
    for item in rendered(values, "--kube-version", version).objects:
        if item["apiVersion"] == "monitoring.coreos.com/v1":
            jsonschema.validate(item["spec"], SERVICE_MONITOR)
        else:
            kubernetes_validate.validate(item, version, strict=True)


def test_everything_has_every_kind() -> None:
    kinds = {item["kind"] for item in rendered("everything").objects}
    assert kinds == {
        *("ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "NetworkPolicy"),
        *("PodDisruptionBudget", "Service", "ServiceAccount", "ServiceMonitor"),
    }


def test_options_off_leave_nothing_of_theirs() -> None:
    objects = rendered("everything", "--set", ",".join(f"{name}=false" for name in SWITCHES))
    kinds = sorted(item["kind"] for item in objects.objects)
    assert kinds == ["ConfigMap", "Deployment", "Deployment", "Deployment", "Service"]
    assert "topologySpreadConstraints" not in objects.text
    assert all(len(workload.containers) == 1 for workload in objects.workloads())
    assert objects.workload("api").owner["spec"]["replicas"] == 3
    for item in objects.objects:
        kubernetes_validate.validate(item, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("values", SETS)
def test_rendering_twice_gives_the_same_bytes(values: str) -> None:
    first, second = template(values), template(values)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    upgrade = template(values, "--is-upgrade")
    assert upgrade.stdout == first.stdout, "an upgrade renders what an installation renders"


@pytest.mark.parametrize("values", SETS)
def test_names_are_distinct_short_and_in_the_namespace(values: str) -> None:
    objects = rendered(values).objects
    names = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(names) == len(set(names))
    assert {item["metadata"].get("namespace") for item in objects} == {"shop"}


def test_a_long_release_name_stays_within_the_limit() -> None:
    name = "a" * 53
    done = helm("template", name, CHART, "--values", VALUES / "production.yaml")
    assert done.returncode == 0, done.stderr
    for item in yaml.safe_load_all(done.stdout):
        if item:
            assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", item["metadata"]["name"])
            for label in item["metadata"]["labels"].values():
                assert len(label) <= 63


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("api.replica", "3"),
        ("secrets.databaseUrl.value", "postgresql://u:p@db/x"),
        ("settings.databaseUrl", "postgresql://u:p@db/x"),
        ("settings.exposureMost", "1000000"),
        ("settings.depositConfirmations", "0"),
        ("settings.publicUrl", "https://user:pass@pay.example"),
        ("api.workers", "0"),
        ("securityContext.runAsUser", "0"),
        ("securityContext.privileged", "true"),
        ("unknown", "1"),
    ],
)
def test_a_value_that_the_schema_does_not_know_is_refused(setting: str, value: str) -> None:
    done = template("required", "--set", f"{setting}={value}")
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr


def test_extra_environment_takes_no_secret_and_no_setting_of_ours() -> None:
    for entry in (
        "name=X,value=0x" + "ab" * 32,
        "name=X,value=amqp://user:word@broker",
        "name=LOCKGATE_DATABASE_URL,value=x",
    ):
        words = [f"extraEnv[0].{member}" for member in entry.split(",")]
        assert template("required", "--set-string", ",".join(words)).returncode != 0, entry


def test_versions_are_the_project_s() -> None:
    chart: Object = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
    assert chart["kubeVersion"] == f">={VERSIONS[0]}-0"
    api = rendered("required").workload("api").main
    assert api["image"] == f"registry.example/lockgate:{project['version']}"


def test_a_digest_wins_over_a_tag() -> None:
    image = rendered("production", "--set", "image.tag=latest").workload("worker").main["image"]
    assert re.fullmatch(r"registry\.example/platform/lockgate@sha256:[0-9a-f]{64}", image)


def test_an_older_kubernetes_is_refused() -> None:
    done = template("required", "--kube-version", "1.24.0")
    assert done.returncode != 0
    assert "incompatible with Kubernetes" in done.stderr


def test_only_migrations_are_hooks() -> None:
    hooks = [item for item in rendered("everything").objects if hook_weight(item) is not None]
    assert {item["metadata"]["labels"]["app.kubernetes.io/component"] for item in hooks} == {"migrations"}
