"""JSON Schema for the data of a spec, so that an editor completes and checks a `.yaml` or `.json` of its shape."""

from __future__ import annotations

from ._check import signatures
from ._hint import ANY
from ._items import CALLS
from ._spec import INSTANCES, PARTIALS
from ._target import Name, name_of
from ._tree import ATOMS, kind_of
from .errors import Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._hint import Form
    from ._signature import Parameter, Signature

    Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_WORDS = ("_ref_", "_same_", "_value_", "_items_")
_LINK: Schema = {
    "description": "a reference, a value that must still be given, or one that JSON has no word for",
    "anyOf": [
        {"type": "string", "pattern": r"\$\{|^\?\?\?$"},
        *({"type": "object", "required": [word]} for word in _WORDS),
    ],
}
_NODE: Schema = {
    "description": "a call, or an instance of a class",
    "type": "object",
    "anyOf": [{"required": ["_target_"]}, {"required": ["_type_"]}],
}
_BESIDE: Schema = {"_format_": {"type": "integer"}, "_nodes_": {"type": "object"}}
"""What the root of a file has beside the spec."""
_ANOTHER: Schema = {"anyOf": [{"$ref": "#/$defs/node"}, {"$ref": "#/$defs/link"}]}
_TYPES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
_raw = object.__getattribute__


def schema(spec: Any) -> dict[str, Any]:
    """The JSON Schema (2020-12) of data that describes specs of this shape.

    Each call has the parameters of its callable, with their declared types,
    defaults, and those that must be given; an argument that it does not take is
    an error. Where a value stands, a reference may stand too, and where a call
    stands, another one. What `save` writes of a spec that `check` passes is valid.

    Args:
        spec: Any spec. The signatures of its targets are those that are
            remembered; other targets are imported for them, as `check` does.

    Returns:
        Data for `json.dump`.

    Raises:
        SpecError: It contains itself.

    >>> schema({"lr": 0.1})["properties"]["lr"]
    {'default': 0.1}
    """
    made = _Writer(spec).value(spec, ANY)
    if "properties" in made:
        made = {**made, "properties": {**made["properties"], **_BESIDE}}
    elif "if" not in made:  # a file holds what is no mapping under a word
        made = {"anyOf": [made, {"type": "object", "properties": {"_root_": made}, "required": ["_root_"]}]}
    return {"$schema": DIALECT, **made, "$defs": {"link": _LINK, "node": _NODE}}


class _Writer:
    def __init__(self, spec: Any) -> None:
        self.signature_of = signatures(spec)
        self.open: list[int] = []

    def value(self, x: Any, form: Form) -> Schema:
        """The schema of what may stand where a value stands now, and `form` is declared."""
        kind = kind_of(type(x))
        if kind is None or kind.family == "ref" or x is None:
            made = of_form(form)
            return {**made, "default": x} if type(x) in ATOMS and type(x) in _TYPES and not _is_link(x) else made
        if id(x) in self.open:
            raise SpecError(Fault("", "contains itself, and has no schema"))
        self.open.append(id(x))
        if type(x) in CALLS or kind.call is not None or kind.family == "fields":
            made = self.node(x)
        elif kind.family == "dict":
            made = self.mapping(*kind.items(x), form)
        elif kind.family == "partial":
            made = _ANOTHER
        else:
            made = self.sequence(kind.items(x)[1], form)
        self.open.pop()
        return made

    def mapping(self, keys: list[Any], values: list[Any], form: Form) -> Schema:
        if not all(type(key) is str and key[:1] != "_" for key in keys):
            return {}  # it is written in other words
        known = {key: self.value(value, form.of_item(key)) for key, value in zip(keys, values, strict=True)}
        return {"type": "object", "properties": known, "additionalProperties": _or_link(of_form(form.of_item("")))}

    def sequence(self, values: list[Any], form: Form) -> Schema:
        known = [_or_link(self.value(value, form.of_item(n))) for n, value in enumerate(values)]
        if not any(known):
            return _or_link({"type": "array"})
        return _or_link({**_array(known), "items": _or_link(of_form(form.of_item(len(values))))})

    def node(self, x: Any) -> Schema:
        """The schema of a call or an instance: this one with its arguments, or any other."""
        call = type(x) in CALLS and type(x) not in INSTANCES
        target = _raw(x, "__target__") if type(x) in CALLS else type(x)
        name = target if type(target) is Name else name_of(target)
        if name is None:
            return _ANOTHER
        word = "_target_" if call else "_type_"
        this = {"type": "object", "properties": {word: {"enum": [name.text, name.dotted]}}, "required": [word]}
        return {"if": this, "then": self.arguments(x, word), "else": _ANOTHER}

    def arguments(self, x: Any, word: str) -> Schema:
        signature = self.signature_of(x)
        kind = kind_of(type(x))
        assert kind is not None
        given = _raw(x, "__dict__") if type(x) in CALLS else dict(zip(*kind.items(x), strict=True))
        positions = _raw(x, "__args__") if type(x) in CALLS else []
        known: Schema = {word: {"type": "string"}, **_BESIDE}
        if word == "_target_":
            known |= {"_partial_": {"type": "boolean"}, "_kwargs_": {"type": "object"}}
            forms = [signature.form(n) if signature is not None else ANY for n in range(len(positions))]
            known["_args_"] = _array([_or_link(self.value(v, f)) for v, f in zip(positions, forms, strict=True)])
        else:
            known["_fields_"] = {"type": "object"}
        for key, value in given.items():
            if type(key) is str and key[:1] != "_":
                known[key] = _or_link(self.value(value, signature.form(key) if signature is not None else ANY))
        made: Schema = {"type": "object", "properties": known}
        if signature is None:
            return made
        for parameter in [p for p in signature.named.values() if p.name not in known and p.name[:1] != "_"]:
            known[parameter.name] = {**_or_link(of_form(signature.form(parameter.name))), **_default(parameter)}
        odd = any(type(key) is not str or key[:1] == "_" for key in given)
        made["additionalProperties"] = True if odd else _rest(signature)
        required = signature.missing(len(positions), ())
        if required and type(x) not in PARTIALS and not odd:
            made["required"] = required
        return made


def _array(first: list[Schema]) -> Schema:
    """An array whose first items are these."""
    return {"type": "array", **({"prefixItems": first} if first else {})}


def _rest(signature: Signature) -> Any:
    """What may stand under a name that no parameter has."""
    if not signature.more_named:
        return False
    return _or_link(of_form(signature.form(signature.more_named))) or True


def _default(parameter: Parameter) -> Schema:
    return (
        {"default": parameter.default} if type(parameter.default) in _TYPES and not _is_link(parameter.default) else {}
    )


def _is_link(x: Any) -> bool:
    """Whether a value is written in other words than JSON's own."""
    return (type(x) is str and ("${" in x or x == "???")) or (type(x) is float and x - x != 0)


def _or_link(made: Schema) -> Schema:
    """The same, or a reference; a schema that anything fits stays that."""
    if not made or "if" in made or made.get("anyOf", [None])[-1] == {"$ref": "#/$defs/link"}:
        return made
    default = {"default": made["default"]} if "default" in made else {}
    made = {key: value for key, value in made.items() if key != "default"}
    return {"anyOf": [made, {"$ref": "#/$defs/link"}], **default} if made else default


def of_form(form: Form) -> Schema:
    """What a declared type allows, as far as JSON can tell: {} for anything."""
    if form.kind == "class":
        if form.of in _TYPES:
            return {"type": _TYPES[form.of]}
        return {}
    if form.kind == "literal":
        values = [value for value in form.of if type(value) in _TYPES]
        return {"enum": values} if len(values) == len(form.of) else {}
    if form.kind == "union":
        parts = [of_form(part) for part in form.parts]
        return {"anyOf": parts} if parts and all(parts) else {}
    if form.kind in ("items", "many"):
        return {"type": "array", "items": _or_link(of_form(form.parts[0]))}
    if form.kind == "tuple":
        items = [_or_link(of_form(part)) for part in form.parts if part.kind != "rest"]
        if len(items) < len(form.parts):
            return {"type": "array", "minItems": len(items)}
        return {**_array(items), "minItems": len(items), "maxItems": len(items)}
    if form.kind == "mapping" and form.parts[0].of is str:
        return {"type": "object", "additionalProperties": _or_link(of_form(form.parts[1]))}
    return {}
