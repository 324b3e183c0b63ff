"""JMESPath, compiled: the expressions inside `{{ }}`.

    text -> parse -> check -> emit -> Python source -> function(value)

`missing="null"` is the standard language; `missing="error"` is Kyverno's,
where a key that is not there is an error unless something absorbs it.
"""

from bartizan.lang.jmespath.compile import compile_expression, roots_of
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
    "standard_functions",
]
