"""Objects of protocol buffers: what their fields hold, how they are made and read, and how they are packed.

Kubernetes has none, but the language is defined with them. Nothing of this
is imported before an expression names a type of `google.protobuf`, or an
environment is made with `constructible_of`.

    schema      what types there are: fields, numbers, defaults, enumerations, extensions
    message     one object, and equality of two
    assign      a value of the language to what a field holds, or an error
    wellknown   the types of `google.protobuf`, most of which are values of the language
    wire        bytes to an object
    declare     types to what the checker and the emitter ask for
"""

from bartizan.lang.cel.messages.declare import (
    constants_of,
    constructible_of,
    enumerations_of,
    type_of,
    well_known_type,
)
from bartizan.lang.cel.messages.message import Message, Packed
from bartizan.lang.cel.messages.schema import Schema, read_schema

__all__ = [
    "Message",
    "Packed",
    "Schema",
    "constants_of",
    "constructible_of",
    "enumerations_of",
    "read_schema",
    "type_of",
    "well_known_type",
]
