"""The same policies to begin from, written in CEL: the kinds of `policies.kyverno.io`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.kinds import group_of, plural
from bartizan.outputs.yaml import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bartizan.app.create.policies import Deed, PolicyWish


def cel_policy(wish: PolicyWish, key: str) -> str:
    """Write the policy; `key` is the public key of one that verifies images."""
    return _SKELETONS[wish.deed](wish, key)


def _head(wish: PolicyWish, about: str, kind: str) -> str:
    prefix = "Namespaced" if wish.namespace else ""
    place = f"  namespace: {scalar(wish.namespace)}\n" if wish.namespace else ""
    return (
        f"# {about}\n"
        f"apiVersion: policies.kyverno.io/v1\n"
        f"kind: {prefix}{kind}\n"
        f"metadata:\n"
        f"  name: {scalar(wish.name)}\n"
        f"{place}"
        f"  annotations:\n"
        f"    policies.kyverno.io/title: {scalar(wish.name)}\n"
        f"    policies.kyverno.io/severity: medium\n"
        f"    policies.kyverno.io/description: Say here, in a sentence or two, what this is for.\n"
        f"spec:\n"
    )


def _match(wish: PolicyWish, operations: str = "[CREATE, UPDATE]") -> str:
    rules = "".join(_resource_rule(kind, operations) for kind in wish.kinds)
    note = ""
    if wish.kinds == ("Pod",) and wish.deed in ("validate", "mutate", "verify-images"):
        note = "  # the same policy is made for Deployments, Jobs and other kinds with pods\n"
    return f"{note}  matchConstraints:\n    resourceRules:\n{rules}"


def _resource_rule(kind: str, operations: str) -> str:
    group = group_of(kind)
    named = ('"*"', '"*"') if group is None else (f'"{group}"', "v2" if group == "autoscaling" else "v1")
    return (
        f"    - apiGroups: [{named[0]}]\n"
        f"      apiVersions: [{named[1]}]\n"
        f"      operations: {operations}\n"
        f"      resources: [{plural(kind)}]\n"
    )


def _actions(wish: PolicyWish) -> str:
    return f"  validationActions: [{'Deny' if wish.enforce else 'Audit'}]  # Deny refuses, Audit reports, Warn tells\n"


def _validate(wish: PolicyWish, _key: str) -> str:
    return (
        _head(wish, "Where an expression does not hold, the resource is reported, or refused.", "ValidatingPolicy")
        + _actions(wish)
        + _match(wish)
        + """\
  # matchConditions:
  # - name: not-in-kube-system
  #   expression: object.metadata.namespace != 'kube-system'
  variables:
  - name: labels
    expression: object.metadata.?labels.orValue({})  # `.?` asks for what may not be there
  validations:
  - expression: variables.labels[?'team'].orValue('') != ''
    message: The label `team` is required.
"""
    )


def _mutate(wish: PolicyWish, _key: str) -> str:
    return (
        _head(
            wish, "What is created or updated is merged with the object, before anything judges it.", "MutatingPolicy"
        )
        + _match(wish)
        + """\
  matchConditions:
  - name: no-team-yet
    expression: object.metadata.?labels[?'team'].orValue('') == ''
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: |
        has(object.metadata.labels)
          ? [JSONPatch{op: "add", path: "/metadata/labels/team", value: "unknown"}]
          : [JSONPatch{op: "add", path: "/metadata/labels", value: {"team": "unknown"}}]
"""
    )


def _generate(wish: PolicyWish, _key: str) -> str:
    place = "object.metadata.name" if wish.kinds == ("Namespace",) else "object.metadata.namespace"
    if wish.namespace:
        place = scalar(f"'{wish.namespace}'")
    return (
        _head(wish, "Whenever one of these is created, another object is made beside it.", "GeneratingPolicy")
        + "  evaluation:\n"
        + "    generateExisting:\n      enabled: false  # true makes it for what is in the cluster already, too\n"
        + "    synchronize:\n      enabled: true  # keeps it as it is written here, and removes it with its cause\n"
        + _match(wish)
        + f"""\
  variables:
  - name: namespace
    expression: {place}
  - name: policy
    expression: |
      [{{
        "apiVersion": dyn("networking.k8s.io/v1"),
        "kind": dyn("NetworkPolicy"),
        "metadata": dyn({{"name": "default-deny", "namespace": string(variables.namespace)}}),
        "spec": dyn({{"podSelector": dyn({{}}), "policyTypes": dyn(["Ingress", "Egress"])}})
      }}]
  generate:
  - expression: generator.Apply({"" if wish.namespace else "variables.namespace, "}variables.policy)
"""
    )


def _verify_images(wish: PolicyWish, key: str) -> str:
    images = "".join(f"  - glob: {scalar(image)}\n" for image in wish.images or ("registry.example.com/*",))
    lines = "".join(f"          {line.strip()}\n" for line in key.strip().splitlines())
    advice = "" if wish.key else "    # put the key of your own signer here; this one signs nothing\n"
    return (
        _head(wish, "Images of these names are let in where their signature is of this key.", "ImageValidatingPolicy")
        + _actions(wish)
        + "  webhookConfiguration:\n    timeoutSeconds: 30\n"
        + _match(wish)
        + f"""\
  matchImageReferences:
{images}\
  attestors:
{advice}\
  - name: signer
    cosign:
      key:
        data: |
{lines}\
  validations:
  - expression: images.containers.map(image, verifyImageSignatures(image, [attestors.signer])).all(count, count > 0)
    message: The image is not signed.
"""
    )


def _cleanup(wish: PolicyWish, _key: str) -> str:
    return (
        _head(wish, "On this schedule, what matches is deleted.", "DeletingPolicy")
        + f"  schedule: {scalar(wish.schedule or '0 3 * * *')}  # minute, hour, day, month, day of the week; in UTC\n"
        + _match(wish, '["*"]')
        + """\
    objectSelector:
      matchLabels:
        temporary: "true"
  conditions:
  - name: older-than-a-day
    expression: time.now() - timestamp(object.metadata.creationTimestamp) > duration('24h')
"""
    )


_SKELETONS: Final[Mapping[Deed, Callable[[PolicyWish, str], str]]] = {
    "validate": _validate,
    "mutate": _mutate,
    "generate": _generate,
    "verify-images": _verify_images,
    "cleanup": _cleanup,
}
