"""Every reference resolves: to what the operator has made, or to what the release makes before it is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.helm.chart import SETS, Object, Workload, hook_weight, rendered, template
from tests.unit.helm.references import Reference, of_operator, of_release, of_workload

OWN_ACCOUNT = ("--set", "serviceAccount.create=false,serviceAccount.name=existing")
SELECTORS = {"Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"}


def fits(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def selector_of(item: Object) -> dict[str, str]:
    spec = item["spec"]
    found = spec["podSelector"] if item["kind"] == "NetworkPolicy" else spec["selector"]
    labels: dict[str, str] = found.get("matchLabels", found)
    return labels


@pytest.mark.parametrize("values", SETS)
def test_what_a_pod_reads_exists_when_it_starts(values: str) -> None:
    objects = rendered(values)
    for workload in objects.workloads():
        there = of_operator(values) | of_release(objects, hook_weight(workload.owner))
        missing = sorted(set(of_workload(workload)) - there)
        assert not missing, f"{workload.name} refers to what is not there: {missing}"


@pytest.mark.parametrize("values", SETS)
def test_every_reference_of_the_values_is_used(values: str) -> None:
    objects = rendered(values)
    used = {reference for workload in objects.workloads() for reference in of_workload(workload)}
    unused = of_operator(values) - used
    assert not unused


def test_the_hook_refers_only_to_what_exists_before_the_release() -> None:
    for values in SETS:
        objects = rendered(values)
        job = objects.workload("migrations")
        assert set(of_workload(job)) <= of_operator(values)
        assert Reference("ServiceAccount", "default") in set(of_workload(job))


def test_an_existing_account_serves_the_hook_too() -> None:
    objects = rendered("required", *OWN_ACCOUNT)
    assert not objects.of_kind("ServiceAccount")
    assert {workload.pod["serviceAccountName"] for workload in objects.workloads()} == {"existing"}


def test_the_hook_runs_before_installation_and_upgrade_and_keeps_what_failed() -> None:
    (job,) = rendered("required").of_kind("Job")
    annotations = job["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_the_hook_s_network_policy_comes_before_its_job() -> None:
    hooks = [item for item in rendered("everything").objects if hook_weight(item) is not None]
    order = sorted(hooks, key=lambda item: hook_weight(item) or 0)
    assert [item["kind"] for item in order] == ["NetworkPolicy", "Job"]
    assert len({hook_weight(item) for item in order}) == 2


@pytest.mark.parametrize("values", SETS)
def test_selectors_choose_the_pods_of_their_component_and_no_other(values: str) -> None:
    objects = rendered(values)
    for item in objects.objects:
        if item["kind"] in SELECTORS:
            chosen = [w.component for w in objects.workloads() if fits(selector_of(item), w.labels)]
            assert chosen == [item["metadata"]["labels"]["app.kubernetes.io/component"]], item["metadata"]["name"]


def test_another_release_s_pods_are_not_chosen() -> None:
    other = rendered("required", "--set", "nameOverride=other")
    for item in rendered("required").objects:
        if item["kind"] in SELECTORS:
            assert not any(fits(selector_of(item), workload.labels) for workload in other.workloads())


def port_names(workload: Workload) -> set[str]:
    return {port["name"] for container in workload.containers for port in container.get("ports", [])}


def named_ports(item: Object) -> Iterator[str]:
    """Names of container ports that a Service or a NetworkPolicy speaks of."""
    for port in item["spec"].get("ports", []):
        yield port["targetPort"]
    for rule in item["spec"].get("ingress", []):
        yield from (port["port"] for port in rule.get("ports", []))


@pytest.mark.parametrize("values", SETS)
def test_ports_lead_to_ports(values: str) -> None:
    objects = rendered(values)
    services = {item["metadata"]["name"]: item for item in objects.of_kind("Service")}
    for item in [*services.values(), *objects.of_kind("NetworkPolicy")]:
        (workload,) = (w for w in objects.workloads() if fits(selector_of(item), w.labels))
        assert set(named_ports(item)) <= port_names(workload), item["metadata"]["name"]
    for ingress in objects.of_kind("Ingress"):
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            backend = path["backend"]["service"]
            ports = services[backend["name"]]["spec"]["ports"]
            assert backend["port"]["name"] in {port["name"] for port in ports}
    for monitor in objects.of_kind("ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        (service,) = (item for item in services.values() if fits(wanted, item["metadata"]["labels"]))
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


@pytest.mark.parametrize("values", SETS)
def test_mounts_probes_and_targets_lead_somewhere(values: str) -> None:
    objects = rendered(values)
    for workload in objects.workloads():
        volumes = [volume["name"] for volume in workload.pod["volumes"]]
        assert len(volumes) == len(set(volumes))
        mounted = {mount["name"] for container in workload.containers for mount in container["volumeMounts"]}
        assert mounted == set(volumes), workload.name
        for container in workload.containers:
            ports = {port["name"] for port in container.get("ports", [])}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = container.get(kind, {})
                action = probe.get("httpGet") or probe.get("tcpSocket") or {}
                assert {action.get("port")} - {None} <= ports
    deployments = {item["metadata"]["name"] for item in objects.of_kind("Deployment")}
    for scaler in objects.of_kind("HorizontalPodAutoscaler"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in deployments


@pytest.mark.parametrize("values", SETS)
def test_spread_constraints_count_the_pods_that_carry_them(values: str) -> None:
    for workload in rendered(values).workloads():
        for constraint in workload.pod.get("topologySpreadConstraints", []):
            assert fits(constraint["labelSelector"]["matchLabels"], workload.labels)


def test_a_policy_covers_every_pod_and_limits_both_ways() -> None:
    objects = rendered("required")
    for workload in objects.workloads():
        (policy,) = (p for p in objects.of_kind("NetworkPolicy") if fits(selector_of(p), workload.labels))
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        assert all(rule.get("ports") for rule in policy["spec"]["egress"]), "no rule without ports"


def test_the_ingress_leads_to_no_metrics_and_no_probe() -> None:
    (ingress,) = rendered("production").of_kind("Ingress")
    paths = [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]
    assert paths == ["/v1", "/x402"]


def test_a_missing_host_is_said() -> None:
    done = template("required", "--set", "ingress.enabled=true")
    assert "ingress.host is empty: set the host name" in done.stderr
