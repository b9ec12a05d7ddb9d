"""How pods live, stop and are confined."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gateway.cli import GRACEFUL_SECONDS
from kit.stack.ports import free_ports
from kit.work.celery import HARD_SECONDS
from tests.unit.helm.chart import SETS, Object, rendered, template

TOUCHING = {"worker": "LOCKGATE_WORKER_LIVENESS_FILE", "beat": "LOCKGATE_BEAT_LIVENESS_FILE"}
WRITABLE = {"/tmp", "/var/lib/lockgate/metrics"}


@pytest.mark.parametrize("values", SETS)
def test_liveness_of_the_api_needs_nothing_outside_the_process(values: str) -> None:
    api = rendered(values).workload("api").main
    assert api["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert api["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert api["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


@pytest.mark.parametrize("values", SETS)
def test_a_stopping_api_drains_before_it_is_killed(values: str) -> None:
    workload = rendered(values).workload("api")
    command, seconds = workload.main["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert int(seconds) > 0
    grace = workload.pod["terminationGracePeriodSeconds"]
    settings = rendered(values).settings()
    assert grace >= int(seconds) + float(settings["LOCKGATE_DRAIN_SECONDS"]) + GRACEFUL_SECONDS + 5
    assert int(settings["LOCKGATE_RECEIPT_WAIT_SECONDS"]) < GRACEFUL_SECONDS, (
        "the longest request ends within the graceful stop"
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("api.terminationGracePeriodSeconds=41", "is 41, but a pod that stops needs 42"),
        ("api.preStopSeconds=14", "is 45, but a pod that stops needs 46"),
        ("settings.drainSeconds=6", "is 45, but a pod that stops needs 46"),
        (f"settings.receiptWaitSeconds={GRACEFUL_SECONDS}", f"gives requests only {GRACEFUL_SECONDS} seconds"),
        ("api.autoscaling.enabled=true,api.autoscaling.minReplicas=9", "minReplicas is above maxReplicas"),
    ],
)
def test_a_contradiction_is_refused_with_a_sentence(setting: str, said: str) -> None:
    done = template("required", "--set", setting)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_stopping_worker_finishes_its_task() -> None:
    for values in SETS:
        worker = rendered(values).workload("worker")
        assert worker.pod["terminationGracePeriodSeconds"] > HARD_SECONDS
        assert int(worker.main["livenessProbe"]["exec"]["command"][-1]) > HARD_SECONDS
    assert template("required", "--set", f"worker.terminationGracePeriodSeconds={HARD_SECONDS}").returncode != 0
    assert template("required", "--set", f"worker.livenessSeconds={HARD_SECONDS}").returncode != 0


def test_pid_1_is_our_program() -> None:
    words = {"api": "serve", "worker": "worker", "beat": "beat", "migrations": "migrate"}
    for component, word in words.items():
        main = rendered("required").workload(component).main
        assert "command" not in main, "the image's own entry point, without a shell around it"
        assert main["args"] == ["gateway", word]
        assert "shareProcessNamespace" not in rendered("required").workload(component).pod


@pytest.mark.parametrize("component", TOUCHING)
@pytest.mark.parametrize("kind", ["startupProbe", "livenessProbe"])
def test_alive_is_who_touches_the_file(component: str, kind: str, tmp_path: Path) -> None:
    main = rendered("required").workload(component).main
    command = main[kind]["exec"]["command"]
    (touched,) = (entry["value"] for entry in main["env"] if entry["name"] == TOUCHING[component])
    assert command[-2] == touched
    seconds = int(command[-1])
    alive = tmp_path / "alive"

    def probe() -> int:
        return subprocess.run([*command[:-2], alive, command[-1]], capture_output=True, check=False).returncode

    assert probe() != 0, "never touched"
    alive.touch()
    assert probe() == 0
    long_ago = time.time() - seconds - 1
    os.utime(alive, (long_ago, long_ago))
    assert probe() != 0, "touched too long ago"


@pytest.mark.parametrize("component", TOUCHING)
def test_start_up_is_given_as_long_as_liveness(component: str) -> None:
    main = rendered("everything").workload(component).main
    start = main["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= int(main["livenessProbe"]["exec"]["command"][-1])


def test_one_scheduler_and_never_two_in_a_rollout() -> None:
    spec = rendered("everything").workload("beat").owner["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}


def test_the_api_never_has_fewer_pods_in_a_rollout() -> None:
    assert rendered("required").workload("api").owner["spec"]["strategy"]["rollingUpdate"] == {
        "maxUnavailable": 0,
        "maxSurge": 1,
    }


def test_autoscaling_owns_the_number_of_pods() -> None:
    assert "replicas" not in rendered("production").workload("api").owner["spec"]
    assert rendered("required").workload("api").owner["spec"]["replicas"] == 2


def restricted(container: Object) -> None:
    """The container's part of the Pod Security Standard `restricted`, and a root that cannot be written."""
    confined = container["securityContext"]
    assert confined == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not [port for port in container.get("ports", []) if "hostPort" in port]


@pytest.mark.parametrize("values", SETS)
def test_pods_are_restricted(values: str) -> None:
    for workload in rendered(values).workloads():
        pod = workload.pod
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for volume in pod["volumes"]:
            (sort,) = set(volume) - {"name"}
            assert sort in {"configMap", "emptyDir", "projected"}
            assert sort != "emptyDir" or volume["emptyDir"]["sizeLimit"]
        for container in workload.containers:
            restricted(container)


@pytest.mark.parametrize("values", SETS)
def test_only_scratch_and_metrics_can_be_written(values: str) -> None:
    for workload in rendered(values).workloads():
        sorts = {volume["name"]: "emptyDir" in volume for volume in workload.pod["volumes"]}
        for container in workload.containers:
            for mount in container["volumeMounts"]:
                if not mount.get("readOnly"):
                    assert sorts[mount["name"]]
                    assert mount["mountPath"] in WRITABLE
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("values", SETS)
def test_every_container_has_a_memory_limit(values: str) -> None:
    for workload in rendered(values).workloads():
        assert all(container["resources"]["limits"]["memory"] for container in workload.containers)


def test_the_platform_may_choose_the_user() -> None:
    ids = "securityContext.runAsUser=null,securityContext.runAsGroup=null,securityContext.fsGroup=null"
    for workload in rendered("required", "--set", ids).workloads():
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(workload.pod["securityContext"])
    assert rendered("everything").workload("api").pod["securityContext"]["runAsUser"] == 1000650000


def test_names_of_services_never_become_settings() -> None:
    """A Service named lockgate-http would set LOCKGATE_HTTP_PORT to a URL."""
    for values in SETS:
        assert all(workload.pod["enableServiceLinks"] is False for workload in rendered(values).workloads())


def fetch(port: int, deadline: float = 20.0) -> str:
    until = time.monotonic() + deadline
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
                return str(answer.read().decode())
        except (TimeoutError, urllib.error.URLError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def test_the_worker_s_metrics_are_shown_by_a_process_of_their_own(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    worker = rendered("required", "--set", f"worker.metrics.port={port}").workload("worker")
    shown = next(container for container in worker.containers if container["name"] == "metrics")
    directory = next(entry["name"] for entry in shown["env"])
    env = {"PATH": os.defpath, directory: str(tmp_path)}
    count = "from prometheus_client import Counter; Counter('lockgate_worked', 'x').inc(7)"
    assert subprocess.run([sys.executable, "-c", count], env=env, check=False).returncode == 0
    program, flag = shown["command"]
    assert (program, flag) == ("python", "-c")
    with subprocess.Popen([sys.executable, flag, *shown["args"]], env=env) as process:
        try:
            assert "lockgate_worked_total 7.0" in fetch(port)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
