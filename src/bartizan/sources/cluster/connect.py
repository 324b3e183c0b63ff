"""Reaching an API server with the credentials people already have.

lightkube reads the kubeconfig and knows the ways to authenticate: client
certificates, tokens, exec plugins, a pod's service account. Requests, their
repetition and their errors are ours.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import httpx2
import orjson
import yaml
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bartizan.base.json import Json

TIMEOUT_S: Final = 30
"""For one answer; a page of 500 objects takes well below a second."""
ATTEMPTS: Final = 4
"""Tries of one request, 0.2, 0.4 and 0.8 s apart: enough for a server that is replaced, not for one that is gone."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 10.0
_NOWHERE: Final = "/nonexistent"
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


class RefusedError(SourceError):
    """The server answered, and refused: `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(slots=True)
class Cluster:
    """A connection. `name` is the context's, for headings."""

    name: str
    client: httpx2.Client
    attempts: int = ATTEMPTS
    """Tries of the next request; one, once the server has been silent through all of them."""
    config: Any = None
    """The loader's, for who opens more connections to the same server."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self.client.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """GET a path of the API.

        Raises:
            RefusedError: the server answered with an error.
            SourceError: it did not answer.
        """
        return self._request("GET", path, headers, None)

    def post(self, path: str, body: Json) -> Json:
        """POST to a path of the API; only for questions, such as a SubjectAccessReview.

        Raises:
            RefusedError: the server answered with an error.
            SourceError: it did not answer.
        """
        return self._request("POST", path, {"Content-Type": "application/json"}, orjson.dumps(body))

    def delete(self, path: str, body: Json) -> Json:
        """DELETE a path of the API; `body` are the DeleteOptions, and their preconditions make a repetition safe.

        Raises:
            RefusedError: the server answered with an error.
            SourceError: it did not answer.
        """
        return self._request("DELETE", path, {"Content-Type": "application/json"}, orjson.dumps(body))

    def _request(self, method: str, path: str, headers: Mapping[str, str] | None, body: bytes | None) -> Json:
        pause = _FIRST_PAUSE_S
        attempts = self.attempts
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            try:
                answer = self.client.request(method, path, headers=headers, content=body)
            except httpx2.HTTPError as error:
                if last:
                    self.attempts = 1
                    raise self._unreachable(error) from error
            except ConfigError as error:
                raise SourceError(f"credentials of `{self.name}`: {error}", hint="Log in again.") from error
            else:
                self.attempts = ATTEMPTS
                if answer.status_code < 400:
                    return _decoded(answer)
                if answer.status_code not in _TRY_AGAIN or last:
                    raise self._refused(path, answer)
                pause = _wanted_pause(answer, pause)
            time.sleep(min(pause, _LONGEST_PAUSE_S))
            pause *= 2
        raise AssertionError("the last attempt returns or raises")

    def _unreachable(self, error: httpx2.HTTPError) -> SourceError:
        text = str(error) or error.__class__.__name__
        if "CERTIFICATE_VERIFY_FAILED" in text:
            hint = "The kubeconfig's certificate authority is not the server's: fetch the kubeconfig again."
        else:
            hint = f"Check that {self.client.base_url} is up and can be reached from here."
        return SourceError(f"cluster `{self.name}` does not answer: {text}", hint=hint)

    def _refused(self, path: str, answer: httpx2.Response) -> RefusedError:
        status = answer.status_code
        try:
            reason = str(orjson.loads(answer.content).get("message") or "")
        except (orjson.JSONDecodeError, AttributeError):
            reason = ""
        hints = {
            401: "Log in again: the credentials are missing or have expired.",
            403: "Grant the verb that it names.",
        }
        said = reason or f"HTTP {status}"
        return RefusedError(f"`{path.partition('?')[0]}`: {said}", status=status, hint=hints.get(status, ""))


def _decoded(answer: httpx2.Response) -> Json:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError as error:
        raise SourceError("the server's answer is not JSON", hint="Check that it is a Kubernetes API.") from error


def _wanted_pause(answer: httpx2.Response, pause: float) -> float:
    after = answer.headers.get("retry-after", "")
    return float(after) if after.isdecimal() else pause


def connect(*, context: str | None = None, kubeconfig: Path | None = None, in_cluster: bool = False) -> Cluster:
    """Open a connection by kubeconfig, or by the service account of the pod this runs in.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
    """
    config, name = _config(context, kubeconfig, in_cluster=in_cluster)
    try:
        client = Client(config, ConnectionParams(timeout=httpx2.Timeout(TIMEOUT_S)))
    except (ConfigError, OSError, ValueError) as error:
        raise SpecError(f"kubeconfig of `{name}`: {error}", hint="Fetch the kubeconfig again.") from error
    return Cluster(name, client, config=config)


def streaming_client(cluster: Cluster) -> httpx2.AsyncClient:
    """A client for many answers that do not end, with a connection for each.

    Raises:
        SpecError: the kubeconfig is not what it must be any more.
    """
    parameters = ConnectionParams(timeout=httpx2.Timeout(TIMEOUT_S)).httpx_params(cluster.config)
    parameters["limits"] = httpx2.Limits(max_connections=None, max_keepalive_connections=8)
    try:
        return httpx2.AsyncClient(**parameters)
    except (ConfigError, OSError, ValueError) as error:
        raise SpecError(f"kubeconfig of `{cluster.name}`: {error}", hint="Fetch the kubeconfig again.") from error


def _config(context: str | None, kubeconfig: Path | None, *, in_cluster: bool) -> tuple[Any, str]:
    try:
        if in_cluster:
            return KubeConfig.from_service_account().get(), "in-cluster"
        # a context is named: a service account that happens to be mounted is not what is meant
        config = KubeConfig.from_file(kubeconfig) if kubeconfig else KubeConfig.from_env(service_account=_NOWHERE)
        name = context or config.current_context
        if name and name not in config.contexts:
            hint = did_you_mean(name, config.contexts) if config.contexts else "The kubeconfig has no contexts."
            raise SpecError(f"no context `{name}` in the kubeconfig", hint=hint)
        found = config.get(name)
    except ConfigError as error:
        raise SpecError(f"kubeconfig: {error}", hint="Name one with --kubeconfig, or set KUBECONFIG.") from error
    except (OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
        # the loader takes the file's shape for granted, so a malformed one fails in any of these ways
        raise SpecError(f"malformed kubeconfig: {error}", hint="Fetch the kubeconfig again.") from error
    if found is None or found.user is None:
        raise SpecError("the kubeconfig names no user", hint="Name a context with --context.")
    return found, name or "default"
