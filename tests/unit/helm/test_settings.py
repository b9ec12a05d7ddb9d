"""The chart and gateway/settings.py say the same, and pods are replaced when what they read has changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gateway.settings import Settings
from tests.unit.helm.chart import CHART, SETS, environment, rendered

# Fixed by the chart, or by a value in another place than `settings`.
ELSEWHERE = {
    *("database_url", "broker_url", "chain_rpc_url", "relay_key_file", "receiver_authorizer_key_file"),
    *("contracts_file", "sanctions_file", "watch_file", "metrics_dir", "http_host", "http_port", "api_workers"),
    *("worker_processes", "worker_liveness_file", "beat_liveness_file"),
}
# The chart's default differs, for the reason given.
OTHER_DEFAULT = {
    "chain_id": "has no default that could be right",
    "public_url": "has no default that could be right",
    "receipt_wait_seconds": "must end within the graceful stop",
}


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def chart_settings() -> dict[str, object]:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    return {snake(name): value for name, value in values["settings"].items()}


def test_every_setting_of_the_gateway_can_be_set_and_no_other() -> None:
    fields = set(Settings.model_fields)
    assert set(chart_settings()) == fields - ELSEWHERE, "bring values.yaml, its schema and the README into step"


def test_defaults_are_the_gateway_s() -> None:
    for name, value in chart_settings().items():
        if name not in OTHER_DEFAULT:
            default = Settings.model_fields[name].default
            assert value == (str(default) if isinstance(value, str) else default), name


@pytest.mark.parametrize("values", SETS)
@pytest.mark.parametrize("component", ["api", "worker", "beat", "migrations"])
def test_the_gateway_reads_what_a_pod_is_given(values: str, component: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = environment(rendered(values).workload(component), rendered(values), "reference://kept")
    ours = {name for name in given if name.startswith("LOCKGATE_")}
    known = {f"LOCKGATE_{name.upper()}" for name in Settings.model_fields}
    unread = sorted(ours - known)
    assert not unread, "the chart sets what the program does not read"
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings()  # type: ignore[call-arg]
    assert settings.database_url.get_secret_value() == "reference://kept"
    if component != "migrations":
        assert settings.chain_id == {"required": 8453, "production": 8453, "everything": 84532}[values]
        assert settings.http_host == "0.0.0.0"  # noqa: S104


def test_numbers_keep_every_digit() -> None:
    settings = rendered("everything").settings()
    assert settings["LOCKGATE_EXPOSURE_MOST"] == "12345678901234567890123456789012345678"
    assert settings["LOCKGATE_STANDARD_MOST_USD"] == "2000000"
    assert settings["LOCKGATE_FEE_CAP_WEI"] == "900000000000000000"
    assert settings["LOCKGATE_FOLLOW_SECONDS"] == "0.25"
    assert rendered("required").settings()["LOCKGATE_FOLLOW_SECONDS"] == "1"
    chain = rendered("required", "--set", "settings.chainId=9007199254740991").settings()
    assert chain["LOCKGATE_CHAIN_ID"] == "9007199254740991"


@pytest.mark.parametrize("values", SETS)
def test_files_are_where_the_settings_say(values: str) -> None:
    objects = rendered(values)
    settings = objects.settings()
    named = {name: Path(settings[name]) for name in settings if name.endswith(("_FILE", "_DIR"))}
    for component in ("api", "worker"):
        workload = objects.workload(component)
        mounts = {mount["mountPath"]: mount for mount in workload.main["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in workload.pod["volumes"]}
        for name, path in named.items():
            if name == "LOCKGATE_METRICS_DIR":
                assert str(path) in mounts
                continue
            mount = mounts[str(path.parent)]
            assert "subPath" not in mount, "a single file would not follow its ConfigMap"
            assert path.name in {item["path"] for item in volumes[mount["name"]]["configMap"]["items"]}


def checksums(*words: str) -> dict[str, dict[str, str]]:
    """The annotations of each workload that stays."""
    return {
        w.component: dict(w.annotations)
        for w in rendered("required", *words).workloads()
        if w.component != "migrations"
    }


@pytest.mark.parametrize(
    ("change", "annotation"),
    [
        ("settings.logLevel=DEBUG", "checksum/settings"),
        ("settings.chainId=10", "checksum/settings"),
        ("api.workers=3", "checksum/settings"),
        ("secrets.databaseUrl.existingSecret=other", "checksum/references"),
        ("secrets.relayKey.key=other", "checksum/references"),
        ("secrets.revision=2", "checksum/references"),
        ("files.contracts.existingConfigMap=other", "checksum/references"),
        ("files.sanctions.key=other", "checksum/references"),
        ("files.revision=2", "checksum/references"),
    ],
)
def test_changed_configuration_replaces_every_pod(change: str, annotation: str) -> None:
    before, after = checksums(), checksums("--set-string" if "revision" in change else "--set", change)
    assert set(before) == {"api", "worker", "beat"}
    for component, sums in before.items():
        changed = {name for name, value in sums.items() if after[component][name] != value}
        assert changed == {annotation}


def test_what_pods_do_not_read_replaces_none() -> None:
    assert checksums() == checksums(
        "--set", "worker.replicas=5,service.port=81,ingress.enabled=true,ingress.host=a.b"
    )
