"""Reading a definition: YAML with the 1.2 core's plain words only, so that `on`, `NO` and `010` stay texts."""

import re

import yaml

from config.definitions.faults import BadDefinition, Fault

SIZE_CAP = 2 << 20
NODE_CAP = 200_000


class _Loader(yaml.SafeLoader):
    """Resolves true, false, null and plain integers; refuses a key that stands twice."""

    yaml_implicit_resolvers: dict = {}
    nodes = 0

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:  # noqa: FBT001, FBT002
        """Count what aliases unfold, so that a small file stays a small file."""
        self.nodes += 1
        if self.nodes > NODE_CAP:
            raise BadDefinition([Fault("", "the file unfolds to too many values; use fewer aliases")])
        return super().construct_object(node, deep)


def _mapping(loader: _Loader, node: yaml.MappingNode, deep: bool = False) -> dict[str, object]:  # noqa: FBT001, FBT002
    made: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise BadDefinition([Fault(f"line {key_node.start_mark.line + 1}", "a key must be a plain text")])
        if key_node.value in made:
            raise BadDefinition([Fault(f"line {key_node.start_mark.line + 1}", f"key {key_node.value!r} stands twice")])
        made[key_node.value] = loader.construct_object(value_node, deep=True)
    return made


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|)$"), ["n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))


def read_yaml(text: str) -> dict[str, object]:
    """The document; BadDefinition says at which line it is none."""
    if len(text) > SIZE_CAP:
        raise BadDefinition([Fault("", f"the file has more than {SIZE_CAP:,} characters")])
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadDefinition([Fault(f"line {line}", f"this is no YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise BadDefinition([Fault("", f"this is no YAML: {str(error).splitlines()[0]}")]) from None
    if not isinstance(document, dict):
        raise BadDefinition([Fault("", "a definition is a mapping with record_types, sources and reconciliations")])
    return document


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back: a text that would resolve is quoted."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = (
        '"'
        if re.fullmatch(r"true|false|null||-?(?:0|[1-9][0-9]*)|[yYnN]|on|off|yes|no|~", value, re.IGNORECASE)
        else None
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def write_yaml(document: dict[str, object]) -> str:
    """A document as YAML, keys in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
