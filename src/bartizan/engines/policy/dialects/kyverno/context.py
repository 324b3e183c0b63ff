"""`context` entries of a rule or a loop, compiled to loaders that run when a variable first needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.json import to_text
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.scope import after
from bartizan.engines.policy.dialects.kyverno.variables import UnresolvedError, as_text, compile_template
from bartizan.engines.policy.dialects.kyverno.watch import watch_of
from bartizan.engines.policy.document import list_at, object_at
from bartizan.engines.policy.lookup import (
    ApiQuestion,
    ConfigMapQuestion,
    GlobalQuestion,
    ImageQuestion,
    LookupFailedError,
    Question,
)
from bartizan.lang.jmespath import JmesPathError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.scope import Loader, Scope
    from bartizan.engines.policy.dialects.kyverno.variables import Compiler, Template

    Ask = Callable[[Scope], Question]

_API_FIELDS: Final = frozenset({"urlPath", "method", "data", "service", "jmesPath", "default"})


def compile_context(entries: Json, compiler: Compiler, at: str) -> dict[str, Loader]:
    """Compile entries in order; of two with one name the later sees the earlier's value.

    Raises:
        SpecError: an entry without a name, or of no known kind.
    """
    loaders: dict[str, Loader] = {}
    watch = watch_of(compiler)
    for index, item in enumerate(list_at(entries, at)):
        where = f"{at}/{index}"
        entry = object_at(item, where)
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise SpecError("a context entry needs a name", pointer=where, hint="Write `name:` beside it.")
        kinds = [kind for kind in _KINDS if entry.get(kind) is not None]
        if len(kinds) != 1:
            unknown = next((key for key in entry if key != "name" and key not in _KINDS), "")
            hint = did_you_mean(unknown, _KINDS) if unknown else f"Write one of {', '.join(_KINDS)}."
            raise SpecError(f"context entry `{name}` has no single known kind", pointer=where, hint=hint)
        body = object_at(entry[kinds[0]], f"{where}/{kinds[0]}")
        loader = _KINDS[kinds[0]](name, body, compiler, f"{where}/{kinds[0]}")
        if watch is not None:
            loader = watch.around("entry", where, loader, text=name)
        loaders[name] = after(name, loaders[name], loader) if name in loaders else loader
    return loaders


def _variable(name: str, entry: JsonObject, compiler: Compiler, at: str) -> Loader:
    value = compile_template(entry.get("value"), compiler, at=f"{at}/value")
    path = compile_template(entry.get("jmesPath"), compiler, at=f"{at}/jmesPath")
    default = compile_template(entry.get("default"), compiler, at=f"{at}/default")
    has_value = entry.get("value") is not None

    def load(scope: Scope) -> Json:
        root = value(scope) if has_value else scope
        found = root if has_value else None
        if path.value is not None:
            found = _query(compiler, path, scope, root, default)
        if found is None:
            found = default(scope)
        if found is None:
            raise UnresolvedError(f"context variable `{name}` has no value")
        return found

    return load


def _query(compiler: Compiler, path: Template, scope: Scope, root: Json, default: Template) -> Json:
    """Evaluate an entry's `jmesPath`; an error is for the default to mend, where there is one."""
    text = as_text(path(scope))
    try:
        return compiler(text)(root)
    except (JmesPathError, SpecError) as error:
        if default.value is None:
            raise UnresolvedError(f"failed to apply `{text}`: {error}") from error
        return None
    except UnresolvedError:
        if default.value is None:
            raise
        return None


def _config_map(name: str, entry: JsonObject, compiler: Compiler, at: str) -> Loader:
    map_name = compile_template(entry.get("name", ""), compiler, at=f"{at}/name")
    namespace = compile_template(entry.get("namespace") or "default", compiler, at=f"{at}/namespace")

    def load(scope: Scope) -> Json:
        recorded = _recorded(name, scope)
        if recorded is not None:
            return recorded
        return _ask(scope, ConfigMapQuestion(as_text(namespace(scope)), as_text(map_name(scope))))

    return load


def _api_call(name: str, entry: JsonObject, compiler: Compiler, at: str) -> Loader:
    object_at(entry, at, _API_FIELDS)
    service = object_at(entry.get("service"), f"{at}/service")
    url = compile_template(entry.get("urlPath") or service.get("url") or "", compiler, at=at)
    pairs = [object_at(pair, f"{at}/data/{i}") for i, pair in enumerate(list_at(entry.get("data"), f"{at}/data"))]
    data = compile_template(pairs, compiler, at=f"{at}/data")

    def question(scope: Scope) -> Question:
        body = {as_text(pair.get("key")): pair.get("value") for pair in data(scope)}
        text = to_text(body) if body else ""
        return ApiQuestion(as_text(url(scope)), "POST" if entry.get("method") == "POST" else "GET", text)

    return _answered(name, entry, question, compiler, at)


def _image_registry(name: str, entry: JsonObject, compiler: Compiler, at: str) -> Loader:
    reference = compile_template(entry.get("reference", ""), compiler, at=f"{at}/reference")
    given = object_at(entry.get("imageRegistryCredentials"), f"{at}/imageRegistryCredentials")
    credentials = to_text(given) if given else ""
    return _answered(name, entry, lambda scope: ImageQuestion(as_text(reference(scope)), credentials), compiler, at)


def _global_reference(name: str, entry: JsonObject, compiler: Compiler, at: str) -> Loader:
    target = compile_template(entry.get("name", ""), compiler, at=f"{at}/name")
    return _answered(name, entry, lambda scope: GlobalQuestion(as_text(target(scope))), compiler, at)


def _answered(name: str, entry: JsonObject, question: Ask, compiler: Compiler, at: str) -> Loader:
    """A loader that asks, then applies `jmesPath`, with `default` where either fails."""
    path = compile_template(entry.get("jmesPath"), compiler, at=f"{at}/jmesPath")
    default = compile_template(entry.get("default"), compiler, at=f"{at}/default")

    def load(scope: Scope) -> Json:
        recorded = _recorded(name, scope)
        if recorded is not None:
            return recorded
        try:
            answer = _ask(scope, question(scope))
            if path.value is not None:
                answer = _query(compiler, path, scope, answer, default)
        except UnresolvedError:
            if default.value is None:
                raise
            return default(scope)
        return default(scope) if answer is None and default.value is not None else answer

    return load


def _recorded(name: str, scope: Scope) -> Json:
    """A value given for the entry beforehand, which stands in for asking."""
    return scope.recorded.get(name)


def _ask(scope: Scope, question: Question) -> Json:
    try:
        return scope.lookup.answer(question)
    except LookupFailedError as error:
        raise UnresolvedError(str(error)) from error


_KINDS: Final = {
    "variable": _variable,
    "configMap": _config_map,
    "apiCall": _api_call,
    "imageRegistry": _image_registry,
    "globalReference": _global_reference,
}
