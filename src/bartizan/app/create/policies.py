"""Policies to begin from, one for each thing a rule can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bartizan.base.cron import parse_cron
from bartizan.base.errors import SpecError
from bartizan.outputs.yaml import scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Deed = Literal["validate", "mutate", "generate", "verify-images", "cleanup"]


class PolicyWish(NamedTuple):
    """What the author has said of the policy; what is empty has a good default."""

    deed: Deed
    name: str = ""
    kinds: tuple[str, ...] = ()
    namespace: str = ""
    enforce: bool = False
    key: str = ""
    """A public key in PEM, for images."""
    images: tuple[str, ...] = ()
    schedule: str = ""
    cel: bool = False
    """Whether it is to be one of the kinds that are written in CEL."""


_NAMES: Final[Mapping[Deed, str]] = {
    "validate": "require-team-label",
    "mutate": "add-team-label",
    "generate": "default-deny",
    "verify-images": "signed-images",
    "cleanup": "clean-temporary",
}
_PLACEHOLDER_KEY: Final = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqZjvQkd0p2qlDKATQWP3GEqFDytm
bANWSf4XGb0e6QJIHP50a4vS5Z9hThZ8nBNGLAwH4hGj2Lru+AoM5XUT1Q==
-----END PUBLIC KEY-----"""
"""A key that nobody has the other half of, so that the skeleton can be read."""


def create_policy(wish: PolicyWish) -> str:
    """Write the policy.

    Raises:
        SpecError: something that was said is no part of such a policy.
    """
    _check(wish)
    kinds = wish.kinds or (("Namespace",) if wish.deed == "generate" else ("Pod",))
    named = wish._replace(name=wish.name or _NAMES[wish.deed], kinds=kinds)
    if wish.cel:
        from bartizan.app.create.cel_policies import cel_policy

        return cel_policy(named, wish.key or _PLACEHOLDER_KEY)
    return _SKELETONS[wish.deed](named)


def _check(wish: PolicyWish) -> None:
    takes = {"verify-images": ("key", "images"), "cleanup": ("schedule",)}
    for field in ("key", "images", "schedule"):
        if getattr(wish, field) and field not in takes.get(wish.deed, ()):
            owner = next(deed for deed, fields in takes.items() if field in fields)
            raise SpecError(f"a {wish.deed} policy has no `--{field}`", hint=f"It is for `create policy {owner}`.")
    if wish.enforce and wish.deed not in ("validate", "verify-images"):
        raise SpecError(f"a {wish.deed} policy refuses nothing", hint="Leave --enforce out.")
    if wish.schedule:
        parse_cron(wish.schedule)
    if wish.key and "-----BEGIN PUBLIC KEY-----" not in wish.key:
        raise SpecError("the key is not a public key in PEM", hint="It begins with `-----BEGIN PUBLIC KEY-----`.")


def _head(wish: PolicyWish, about: str, *, kind: str = "Policy", version: str = "v1") -> str:
    prefix = "" if wish.namespace else "Cluster"
    place = f"  namespace: {scalar(wish.namespace)}\n" if wish.namespace else ""
    return (
        f"# {about}\n"
        f"apiVersion: kyverno.io/{version}\n"
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


def _rule(wish: PolicyWish) -> str:
    return (
        f"  rules:\n  - name: {scalar(wish.name)}\n    match:\n      any:\n      - resources:\n          kinds:\n"
        f"{_kinds(wish, 10)}"
    )


def _kinds(wish: PolicyWish, indent: int) -> str:
    lone_pod = wish.kinds == ("Pod",) and wish.deed in ("validate", "mutate", "verify-images")
    note = "  # the same rule is made for Deployments, Jobs and other kinds with pods" if lone_pod else ""
    return "".join(f"{' ' * indent}- {scalar(kind)}{note}\n" for kind in wish.kinds)


_EXCLUDE: Final = """\
    # exclude:
    #   any:
    #   - resources:
    #       namespaces:
    #       - kube-system
"""


def _action(wish: PolicyWish) -> str:
    other = "Audit reports and lets pass" if wish.enforce else "Enforce refuses it at admission"
    return f"{'Enforce' if wish.enforce else 'Audit'}  # {other}"


def _validate(wish: PolicyWish) -> str:
    return (
        _head(wish, "What does not match the pattern is reported, or refused.")
        + "  background: true  # judges what is in the cluster already, too\n"
        + _rule(wish)
        + _EXCLUDE
        + f"""\
    validate:
      failureAction: {_action(wish)}
      message: The label `team` is required.
      pattern:
        metadata:
          labels:
            team: "?*"  # any text but the empty one
"""
    )


def _mutate(wish: PolicyWish) -> str:
    return (
        _head(wish, "What is created or updated gets what the patch says, before anything judges it.")
        + _rule(wish)
        + _EXCLUDE
        + """\
    mutate:
      patchStrategicMerge:
        metadata:
          labels:
            +(team): unknown  # `+(…)` adds what is not there; without it, the value is set whatever it was
"""
    )


def _generate(wish: PolicyWish) -> str:
    of_namespaces = wish.kinds == ("Namespace",)
    place = "{{ request.object.metadata.name }}" if of_namespaces else "{{ request.namespace }}"
    if wish.namespace:
        place = wish.namespace
    return (
        _head(wish, "Whenever one of these is created, another object is made beside it.")
        + _rule(wish)
        + f"""\
    # exclude:
    #   any:
    #   - resources:
    #       names:
    #       - kube-*
    generate:
      generateExisting: false  # true makes it for what is in the cluster already, too
      synchronize: true  # keeps it as it is written here, and removes it with its cause
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      name: default-deny
      namespace: {scalar(place)}
      data:
        spec:
          podSelector: {{}}
          policyTypes:
          - Ingress
          - Egress
"""
    )


def _verify_images(wish: PolicyWish) -> str:
    images = "".join(f"      - {scalar(image)}\n" for image in wish.images or ("registry.example.com/*",))
    key = "".join(f"              {line.strip()}\n" for line in (wish.key or _PLACEHOLDER_KEY).strip().splitlines())
    advice = "" if wish.key else "        # put the key of your own signer here; this one signs nothing\n"
    digest = "true  # writes the digest that was verified beside the tag" if wish.enforce else "false  # Enforce only"
    return (
        _head(wish, "Images of these names are let in where their signature is of this key.")
        + "  background: false  # registries are asked at admission, and not for every image in the cluster\n"
        + "  webhookConfiguration:\n    timeoutSeconds: 30\n"
        + _rule(wish)
        + f"""\
    verifyImages:
    - imageReferences:  # with wildcards
{images}\
      failureAction: {_action(wish)}
      required: true  # an image that was not verified is refused
      verifyDigest: {str(wish.enforce).lower()}
      mutateDigest: {digest}
      attestors:
      - count: 1
        entries:
{advice}\
        - keys:
            publicKeys: |-
{key}"""
    )


def _cleanup(wish: PolicyWish) -> str:
    return (
        _head(wish, "On this schedule, what matches is deleted.", kind="CleanupPolicy", version="v2")
        + f"""\
  schedule: {scalar(wish.schedule or "0 3 * * *")}  # minute, hour, day, month, day of the week; in UTC
  match:
    any:
    - resources:
        kinds:
{_kinds(wish, 8)}\
        selector:
          matchLabels:
            temporary: "true"
  conditions:
    all:
    - key: "{{{{ time_since('', target.metadata.creationTimestamp, '') }}}}"
      operator: GreaterThan
      value: 24h
"""
    )


_SKELETONS: Final[Mapping[Deed, Callable[[PolicyWish], str]]] = {
    "validate": _validate,
    "mutate": _mutate,
    "generate": _generate,
    "verify-images": _verify_images,
    "cleanup": _cleanup,
}
