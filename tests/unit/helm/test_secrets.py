"""Secrets by reference only: never made, never rendered, and missed with a sentence."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr

from gateway.settings import Settings
from tests.unit.helm.chart import SETS, Workload, environment, rendered, template, walk
from tests.unit.helm.references import Reference, of_workload

NEEDED = {
    "secrets.databaseUrl.existingSecret": "name the existing Secret that holds the PostgreSQL URL",
    "secrets.brokerUrl.existingSecret": "name the existing Secret that holds the broker's URL",
    "secrets.chainRpcUrl.existingSecret": "name the existing Secret that holds the chain node's URL",
    "secrets.relayKey.existingSecret": "name the existing Secret that holds the relay's private key",
    "secrets.receiverAuthorizerKey.existingSecret": "name the existing Secret that holds the receiver-authorizer's",
    "files.contracts.existingConfigMap": "name the existing ConfigMap that holds the contracts file",
    "files.sanctions.existingConfigMap": "name the existing ConfigMap that holds the sanctions list",
    "image.repository": "name the image built from helm/Dockerfile",
    "settings.publicUrl": "set the URL at which payers and merchants reach the API",
}
SECRET_LOOKS = re.compile(
    r"://[^/@\s:]+:[^/@\s]+@"  # a password in a URL
    r"|(?<![0-9a-f:])(?:0x)?[0-9a-fA-F]{64}(?![0-9a-fA-F])"  # 32 bytes; checksums are taken out first
    r"|lg_(?:live|test)_|BEGIN [A-Z ]*PRIVATE KEY"
)


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_reference_fails_with_its_sentence_alone(missing: str) -> None:
    done = template("required", "--set-string", f"{missing}=")
    assert done.returncode != 0
    assert done.stdout == ""
    sentences = [line.strip() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert len(sentences) == 1
    assert sentences[0].startswith(f"{missing} is empty: {NEEDED[missing]}")
    assert sentences[0].endswith(".")


def test_a_missing_chain_fails_with_its_sentence() -> None:
    done = template("required", "--set", "settings.chainId=null")
    assert done.returncode != 0
    assert "settings.chainId is empty: set the id of the chain that the contracts file is of." in done.stderr


def test_with_nothing_set_every_sentence_comes_at_once() -> None:
    done = template(None)
    assert done.returncode != 0
    for name in (*NEEDED, "settings.chainId"):
        assert f"\n  {name} is empty: " in done.stderr


@pytest.mark.parametrize("values", SETS)
def test_no_secret_is_rendered(values: str) -> None:
    objects = rendered(values)
    assert not objects.of_kind("Secret")
    without_hashes = re.sub(r"(?m)^\s+checksum/\w+: [0-9a-f]{64}$|@sha256:[0-9a-f]{64}", "", objects.text)
    assert SECRET_LOOKS.search(without_hashes) is None


def test_the_look_of_a_secret_is_known() -> None:
    for text in ("postgresql://u:p@h/d", "0x" + "ab" * 32, "AB" * 32, "lg_live_x"):
        assert SECRET_LOOKS.search(f"a: {text}\n")


def secret_fields() -> set[str]:
    return {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}


def test_secret_settings_come_from_secrets_and_from_nowhere_else() -> None:
    names = {f"LOCKGATE_{name.upper()}" for name in secret_fields()}
    assert names == {"LOCKGATE_DATABASE_URL", "LOCKGATE_BROKER_URL", "LOCKGATE_CHAIN_RPC_URL"}
    for values in SETS:
        objects = rendered(values)
        assert not names & set(objects.settings())
        for workload in objects.workloads():
            for container in workload.containers:
                for entry in container.get("env", []):
                    if entry["name"] in names:
                        assert set(entry) == {"name", "valueFrom"}
                        assert set(entry["valueFrom"]) == {"secretKeyRef"}


def secret_names(workload: Workload) -> set[str]:
    pull = {entry["name"] for entry in workload.pod.get("imagePullSecrets", [])}
    return {reference.name for reference in of_workload(workload) if reference.kind == "Secret"} - pull


def test_each_part_gets_the_secrets_it_needs_and_no_more() -> None:
    objects = rendered("production")
    urls = {"lockgate-database", "lockgate-broker", "lockgate-chain"}
    keys = {"lockgate-relay", "lockgate-authorizer"}
    assert secret_names(objects.workload("api")) == urls | keys
    assert secret_names(objects.workload("worker")) == urls | keys
    assert secret_names(objects.workload("beat")) == {"lockgate-database", "lockgate-broker"}
    assert secret_names(objects.workload("migrations")) == {"lockgate-database"}
    metrics = next(c for c in objects.workload("worker").containers if c["name"] == "metrics")
    assert "secretKeyRef" not in str(metrics)
    assert "keys" not in {mount["name"] for mount in metrics["volumeMounts"]}


def test_keys_are_files_that_only_the_group_may_read() -> None:
    for component in ("api", "worker"):
        workload = rendered("production").workload(component)
        (volume,) = (volume for volume in workload.pod["volumes"] if volume["name"] == "keys")
        assert volume["projected"]["defaultMode"] == 0o440
        (mount,) = (mount for mount in workload.main["volumeMounts"] if mount["name"] == "keys")
        assert mount["readOnly"] is True
        paths = {item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]}
        found = environment(workload, rendered("production"), "x")
        named = {found["LOCKGATE_RELAY_KEY_FILE"], found["LOCKGATE_RECEIVER_AUTHORIZER_KEY_FILE"]}
        assert named == {f"{mount['mountPath']}/{path}" for path in paths}
        assert Reference("Secret", "lockgate-relay", "private-key") in set(of_workload(workload))


def test_no_token_of_the_cluster_is_mounted() -> None:
    for values in SETS:
        objects = rendered(values)
        for workload in objects.workloads():
            assert workload.pod["automountServiceAccountToken"] is False
        assert all(account["automountServiceAccountToken"] is False for account in objects.of_kind("ServiceAccount"))
        assert not [path for path, _ in walk(list(objects.objects)) if path and path[-1] == "serviceAccountToken"]
