"""Rendering of the chart, and a reader of what was rendered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kit.stack.paths import ROOT
from tests.unit.helm.program import helm_path

CHART = ROOT / "helm" / "lockgate"
VALUES = Path(__file__).parent / "values"
SETS = ("required", "production", "everything")
RELEASE = "pay"
NAMESPACE = "shop"

Object = dict[str, Any]
HOOK = "helm.sh/hook"
WEIGHT = "helm.sh/hook-weight"


def helm(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run helm with no cluster, no home and no network in reach of it."""
    env = {"PATH": os.defpath, "HOME": "/nonexistent", "KUBECONFIG": "/nonexistent/config"}
    return subprocess.run([helm_path(), *words], capture_output=True, text=True, env=env, check=False)


def template(values: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    """`helm template` with one of the sets of values and more words, such as --set."""
    files: list[str | Path] = [] if values is None else ["--values", VALUES / f"{values}.yaml"]
    return helm("template", RELEASE, CHART, "--namespace", NAMESPACE, *files, *words)


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods."""

    owner: Object

    @property
    def name(self) -> str:
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def component(self) -> str:
        return str(self.labels["app.kubernetes.io/component"])

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self.owner["spec"]["template"]["metadata"]["labels"]
        return labels

    @property
    def annotations(self) -> dict[str, str]:
        annotations: dict[str, str] = self.owner["spec"]["template"]["metadata"].get("annotations", {})
        return annotations

    @property
    def pod(self) -> Object:
        spec: Object = self.owner["spec"]["template"]["spec"]
        return spec

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", []), *self.pod["containers"]]

    @property
    def main(self) -> Object:
        """The container that is named after the component."""
        (found,) = (container for container in self.containers if container["name"] == self.component)
        return found


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a rendering made, in its order."""

    text: str
    objects: Sequence[Object]

    def of_kind(self, kind: str) -> list[Object]:
        return [item for item in self.objects if item["kind"] == kind]

    def workloads(self) -> list[Workload]:
        return [Workload(item) for item in self.objects if "template" in item.get("spec", {})]

    def workload(self, component: str) -> Workload:
        (found,) = (workload for workload in self.workloads() if workload.component == component)
        return found

    def settings(self) -> dict[str, str]:
        (found,) = self.of_kind("ConfigMap")
        data: dict[str, str] = found["data"]
        return data


class NotRendered(Exception):
    """helm refused; the text is its answer."""


@cache
def rendered(values: str, *words: str) -> Rendered:
    """The objects for one of the sets of values. Raises NotRendered."""
    done = template(values, *words)
    if done.returncode != 0:
        raise NotRendered(done.stderr)
    return Rendered(done.stdout, [item for item in yaml.safe_load_all(done.stdout) if item])


def hook_weight(item: Object) -> int | None:
    """The place among the hooks; None for what is made after them."""
    annotations = item["metadata"].get("annotations", {})
    return int(annotations.get(WEIGHT, "0")) if HOOK in annotations else None


def environment(workload: Workload, objects: Rendered, secret: str) -> dict[str, str]:
    """The variables of the main container; each that comes from a Secret has the value `secret`."""
    found: dict[str, str] = {}
    for source in workload.main.get("envFrom", []):
        (settings,) = objects.of_kind("ConfigMap")
        assert source == {"configMapRef": {"name": settings["metadata"]["name"]}}
        found |= objects.settings()
    for entry in workload.main.get("env", []):
        found[entry["name"]] = entry.get("value", secret)
    return found


def walk(item: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value below `item` with the way to it."""
    yield path, item
    inner: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(item, dict):
        inner = iter(item.items())
    elif isinstance(item, list):
        inner = iter(enumerate(item))
    for key, value in inner:
        yield from walk(value, (*path, key))
