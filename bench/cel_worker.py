"""Times one CEL library: run by a Python that has it, with its name; questions on standard input, figures on output.

Imports nothing of ours but where it measures ours, because it runs in the
environments of the others.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 0.25  # that one measurement takes about
_ROUNDS = 5
_OBJECTS = 200  # fresh ones for each round: as many evaluations


def ours(text: str) -> Callable[[Any], Any]:
    """Bartizan."""
    from bartizan.lang.cel import Environment, compile_expression
    from bartizan.lang.cel.library import KUBERNETES
    from bartizan.lang.cel.types import DYN

    run = compile_expression(text, Environment({"object": DYN}, KUBERNETES))
    return lambda body: run({"object": body})


def celpy(text: str) -> Callable[[Any], Any]:
    """cel-python, which has values of its own that decoded JSON is converted to."""
    import celpy as library
    from celpy.adapter import json_to_cel

    environment = library.Environment()
    program = environment.program(environment.compile(text))
    return lambda body: program.evaluate({"object": json_to_cel(body)})


def cel(text: str) -> Callable[[Any], Any]:
    """common-expression-language, in Rust."""
    import cel as library

    program = library.compile(text)
    return lambda body: program.execute({"object": body})


def cel_expr_python(text: str) -> Callable[[Any], Any]:
    """cel-expr-python, Google's C++."""
    from cel_expr_python import cel as library
    from cel_expr_python.ext import ext_strings

    environment = library.NewEnv(variables={"object": library.Type.DYN}, extensions=[ext_strings.ExtStrings()])
    program = environment.compile(text)
    return lambda body: program.eval(data={"object": body}).plain_value()


def measure(run: Callable[[Any], Any], text: str) -> tuple[Any, float]:
    """What it gives, and the least time of an evaluation of an object that is new to it, in microseconds."""
    value = run(json.loads(text))
    best = float("inf")
    for _ in range(_ROUNDS):
        until = time.perf_counter() + _SECONDS / _ROUNDS
        while True:
            objects = [json.loads(text) for _ in range(_OBJECTS)]
            gc.collect()
            gc.disable()
            start = time.perf_counter()
            for body in objects:
                run(body)
            end = time.perf_counter()
            gc.enable()
            best = min(best, (end - start) / _OBJECTS)
            if end > until:
                break
    return value, best * 1e6


def main() -> None:
    """Answer each question: `[value as text, microseconds]`, or `[error, null]`."""
    make = {"ours": ours, "celpy": celpy, "cel": cel, "cel-expr-python": cel_expr_python}[sys.argv[1]]
    asked = json.load(sys.stdin)
    answers: list[tuple[str, float | None]] = []
    for text in asked["expressions"]:
        try:
            value, spent = measure(make(text), asked["object"])
        except Exception as error:  # noqa: BLE001 (what a library cannot do is a row of the table, whatever it raises)
            answers.append((f"{type(error).__name__}: {error}"[:200], None))
        else:
            plain = bool(value) if type(value).__name__ == "BoolType" else value  # which celpy has instead
            answers.append((json.dumps(plain, default=str), spent))
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
