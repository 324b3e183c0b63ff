"""How the registries of a resource's images are to be reached: as the policy says, with the pull secrets of the pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.lookup import RegistryAccess

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.images.spec import CredentialsSpec
    from bartizan.model.request import Request

_POD_PATHS: Final = (("spec",), ("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec"))


def registry_access(credentials: CredentialsSpec | None, request: Request) -> RegistryAccess:
    """The access for one request."""
    namespace = request.resource.id.namespace
    secrets = _pull_secrets(request.resource.body)
    if credentials is None:
        return RegistryAccess(pull_secrets=secrets, namespace=namespace if secrets else "")
    return RegistryAccess(
        secrets=tuple(credentials.secrets or ()),
        providers=tuple(credentials.providers or ()),
        pull_secrets=secrets,
        namespace=namespace if secrets else "",
        insecure=credentials.allow_insecure_registry,
    )


def _pull_secrets(body: JsonObject) -> tuple[str, ...]:
    for path in _POD_PATHS:
        spec: Json = body
        for step in path:
            spec = spec.get(step) if isinstance(spec, dict) else None
        found = spec.get("imagePullSecrets") if isinstance(spec, dict) else None
        if isinstance(found, list):
            names = [item.get("name") for item in found if isinstance(item, dict)]
            return tuple(name for name in names if isinstance(name, str))
    return ()
