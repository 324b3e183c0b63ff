"""Charts and kustomizations, rendered by the real programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.conformance import built

from bartizan.model.report import Problem
from bartizan.sources.rendered import deployed, kustomize_command, read_chart, read_kustomization

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bartizan.model.resource import Resource

_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: app, image: "registry.example/app:1"}
"""
_FILES = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": _POD,
    "more/kustomization.yml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -more\n",
    "over/Kustomization": "resources: [../base]\ncomponents: [../more]\nnamespace: shop\n"
    "images: [{name: registry.example/app, newTag: latest}]\n",
    "broken/kustomization.yaml": "resources: [gone.yaml]\n",
    "Shop App/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "Shop App/values.yaml": "tag: latest\n",
    "Shop App/templates/pod.yaml": _POD.replace("web", "{{ .Release.Name }}-web").replace(
        "app:1", "app:{{ .Values.tag }}"
    ),
    "bad/Chart.yaml": "apiVersion: v2\nname: bad\nversion: 0.1.0\n",
    "bad/templates/pod.yaml": "a: {{ .Values.tag | nope }}\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of charts and kustomizations, some of them bad."""
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`kubectl` and `helm` on the path, built from source."""
    folders = {str(path.parent) for path in built("kubernetes", "helm").values()}
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, os.environ["PATH"]]))
    return


def _resources(found: Iterator[Resource | Problem]) -> list[Resource]:
    resources = []
    for item in found:
        assert not isinstance(item, Problem), item
        resources.append(item)
    return resources


@pytest.mark.usefixtures("programs")
def test_an_overlay_is_judged_as_it_is_deployed(tree: Path) -> None:
    (pod,) = _resources(read_kustomization(tree / "over"))
    assert str(pod.id) == "Pod shop/web-more"
    assert pod.body["spec"]["containers"][0]["image"] == "registry.example/app:latest"
    assert pod.lines is not None
    assert "rendered by" in pod.source


@pytest.mark.usefixtures("programs")
def test_a_chart_is_rendered_with_its_own_values(tree: Path) -> None:
    (pod,) = _resources(read_chart(tree / "Shop App"))
    assert pod.id.name == "shop-app-web"
    assert pod.body["spec"]["containers"][0]["image"] == "registry.example/app:latest"


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize(("folder", "said"), [("bad", 'function "nope" not defined'), ("broken", "gone.yaml")])
def test_what_a_program_refuses_is_said_in_its_words(tree: Path, folder: str, said: str) -> None:
    read = read_chart if folder == "bad" else read_kustomization
    (problem,) = list(read(tree / folder))
    assert isinstance(problem, Problem)
    assert problem.kind == "input"
    assert said in problem.message
    assert problem.hint


def test_without_the_program_it_is_said_what_to_install(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    assert kustomize_command() is None
    for problem in (*read_chart(tree / "bad"), *read_kustomization(tree / "over")):
        assert isinstance(problem, Problem)
        assert (problem.kind, problem.hint.startswith("Install `")) == ("world", True)


def test_bases_and_components_are_judged_in_their_overlays(tree: Path) -> None:
    found = [tree / name for name in ("base", "broken", "more", "over")]
    assert deployed(found, ()) == [tree / "broken", tree / "over"]
    assert deployed(found, (tree / "base",)) == [tree / "base", tree / "broken", tree / "over"]
