"""What pods refer to, and what the values name as made by the operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.unit.helm.chart import CHART, VALUES, Object, Rendered, Workload, hook_weight, walk


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One key of one object; `key` is empty when the whole object is meant."""

    kind: str
    name: str
    key: str = ""


def of_workload(workload: Workload) -> Iterator[Reference]:
    """Every Secret, ConfigMap and ServiceAccount that a pod needs before it can start."""
    pod = workload.pod
    yield Reference("ServiceAccount", pod["serviceAccountName"])
    for entry in pod.get("imagePullSecrets", []):
        yield Reference("Secret", entry["name"])
    for container in workload.containers:
        for source in container.get("envFrom", []):
            yield from _of_source(source)
        for entry in container.get("env", []):
            yield from _of_source(entry.get("valueFrom", {}))
    for volume in pod.get("volumes", []):
        yield from _of_volume(volume)


_KINDS = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
}


def _of_source(source: Object) -> Iterator[Reference]:
    for member, target in source.items():
        yield Reference(_KINDS[member], target["name"], target.get("key", ""))


def _of_volume(volume: Object) -> Iterator[Reference]:
    sources = volume["projected"]["sources"] if "projected" in volume else [volume]
    for source in sources:
        if "secret" in source:
            held = source["secret"]
            name = held["secretName"] if "secretName" in held else held["name"]
            yield from _of_items("Secret", name, held)
        elif "configMap" in source:
            yield from _of_items("ConfigMap", source["configMap"]["name"], source["configMap"])
        else:
            assert set(source) <= {"name", "emptyDir"}, f"a volume of an unknown sort: {source}"


def _of_items(kind: str, name: str, held: Object) -> Iterator[Reference]:
    items = held.get("items", [])
    if not items:
        yield Reference(kind, name)
    for item in items:
        yield Reference(kind, name, item["key"])


def merged_values(values: str) -> Object:
    """The chart's defaults under a set of values."""
    return _merge(_read(CHART / "values.yaml"), _read(VALUES / f"{values}.yaml"))


def _read(path: Path) -> Object:
    document: Object = yaml.safe_load(path.read_text())
    return document


def _merge(under: Object, over: Object) -> Object:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def of_operator(values: str) -> set[Reference]:
    """What exists before the release: everything that the values name by reference, and the account `default`."""
    named = merged_values(values)
    found = {Reference("ServiceAccount", "default")}
    for path, item in walk(named):
        if not isinstance(item, dict):
            continue
        if item.get("existingSecret"):
            found.add(Reference("Secret", item["existingSecret"], item["key"]))
        if item.get("existingConfigMap"):
            found.add(Reference("ConfigMap", item["existingConfigMap"], item["key"]))
        if path[:1] == ("extraEnv",) and "valueFrom" in item:
            found |= set(_of_source(item["valueFrom"]))
        if path[:1] == ("extraVolumes",) and len(path) == 2:
            found |= set(_of_volume(item))
    found |= {Reference("Secret", name) for name in named["image"]["pullSecrets"]}
    if not named["serviceAccount"]["create"] and named["serviceAccount"]["name"]:
        found.add(Reference("ServiceAccount", named["serviceAccount"]["name"]))
    return found


def of_release(objects: Rendered, before_weight: int | None) -> set[Reference]:
    """What the release has made when a pod starts: all of it, or, before a hook, only hooks of less weight."""
    found: set[Reference] = set()
    for item in objects.objects:
        weight = hook_weight(item)
        if before_weight is not None and (weight is None or weight >= before_weight):
            continue
        name = item["metadata"]["name"]
        found.add(Reference(item["kind"], name))
        found |= {Reference(item["kind"], name, key) for key in item.get("data", {})}
    return found
