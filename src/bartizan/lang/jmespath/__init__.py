"""JMESPath, compiled: the expressions inside `{{ }}`.

    text -> parse -> check -> emit -> Python source -> function(value)

`missing="null"` is the standard language; `missing="error"` is Kyverno's,
where a key that is not there is an error unless something absorbs it.
`compile_expression` is the fast mode; the traced one, which few runs need, is
`bartizan.lang.jmespath.trace`.
"""

from bartizan.lang.jmespath.compile import compile_expression, roots_of, source_of
from bartizan.lang.jmespath.errors import JmesPathError, NotFoundError
from bartizan.lang.jmespath.library import Ambient, Functions, functions_for, standard_functions

__all__ = [
    "Ambient",
    "Functions",
    "JmesPathError",
    "NotFoundError",
    "compile_expression",
    "functions_for",
    "roots_of",
    "source_of",
    "standard_functions",
]
