"""Small changes of a contract, each of which would be a defect: made over the compiler's syntax tree.

Only code is changed, never declarations, and each change is one place. Of several changes that any test would see as
one (a check that never refuses, the same check with its comparison turned round) only the one is made that is harder
to see. What a change says of itself (`key`) does not depend on where in the file it stands, so a list of survivors
outlives edits elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

Node = dict[str, Any]

_EDGES = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_SWAPS = {
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("*",),
    "&": ("|",),
    "|": ("&",),
    "^": ("&",),
    "<<": (">>",),
    ">>": ("<<",),
    "+=": ("-=", "="),
    "-=": ("+=", "="),
    "|=": ("&=",),
}
_ASSEMBLY = {
    "add": "sub",
    "sub": "add",
    "and": "or",
    "or": "and",
    "lt": "gt",
    "gt": "lt",
    "eq": "lt",
    "shl": "shr",
    "shr": "shl",
}


_NOT_CODE = {"typeName", "typeDescriptions", "documentation", "declarations", "externalReferences", "overrides"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `old` at `start` of the file becomes `new`."""

    file: str
    start: int
    old: str
    new: str
    where: str
    """Contract, function and kind of change."""
    key: str
    by_hand: bool = False

    def applied(self, text: bytes) -> bytes:
        """The file's text with the change. Positions are in bytes, as the compiler's."""
        end = self.start + len(self.old.encode())
        assert text[self.start : end] == self.old.encode(), f"{self.file} is not the text that was mutated"
        return text[: self.start] + self.new.encode() + text[end:]

    def line(self, text: bytes) -> int:
        return text.count(b"\n", 0, self.start) + 1


def identify(file: str, where: str, context: str, new: str, occurrence: int) -> str:
    """Ten hex digits that name a change by what it is, not by its line."""
    parts = "\0".join((file, where, " ".join(context.split()), new, str(occurrence)))
    return hashlib.sha256(parts.encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    old: str
    new: str
    kind: str
    context: str


@dataclass(frozen=True, slots=True)
class _Site:
    """A node of a body. `context` is the text of its statement."""

    scope: str
    node: Node
    context: str
    parent: Node
    decided: bool
    """Whether other changes make this expression true and false already."""


class _Reader:
    """The text of one file, by the places that the tree names."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def span(self, node: Node) -> tuple[int, int]:
        start, length, _ = (int(part) for part in node["src"].split(":"))
        return start, start + length

    def source(self, node: Node) -> str:
        start, end = self.span(node)
        return self.text[start:end].decode()

    def between(self, left: Node, right: Node, operator: str) -> int | None:
        """Where an operator stands between its operands; comments there are passed over by asking for one only."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = self.text[start:end].decode()
        return start + gap.index(operator) if gap.count(operator) == 1 else None

    def replaced(self, site: _Site, new: str, kind: str, part: Node | None = None) -> _Change:
        node = part or site.node
        return _Change(self.span(node)[0], self.source(node), new, kind, site.context)


def mutants(file: str, text: bytes, tree: Node) -> list[Mutant]:
    """Every change of one file, in its order. `tree` is the compiler's syntax tree of it."""
    reader = _Reader(text)
    seen: Counter[tuple[str, str, str]] = Counter()
    made = []
    for site in _code(reader, tree):
        for change in _changes(reader, site):
            where = f"{site.scope}: {change.kind}"
            count = seen[where, change.context, change.new]
            seen[where, change.context, change.new] += 1
            key = identify(file, where, change.context, change.new, count)
            made.append(Mutant(file, change.start, change.old, change.new, where, key))
    return made


def _code(reader: _Reader, tree: Node) -> Iterator[_Site]:
    """Every node inside a body."""
    for outer in tree["nodes"]:
        if outer["nodeType"] == "FunctionDefinition":
            yield from _body(reader, outer, outer["name"])
        if outer["nodeType"] != "ContractDefinition" or outer["contractKind"] == "interface":
            continue
        for inner in outer["nodes"]:
            if inner["nodeType"] in {"FunctionDefinition", "ModifierDefinition"}:
                name = inner["name"] or inner.get("kind", "")
                yield from _body(reader, inner, f"{outer['name']}.{name}")
            elif inner["nodeType"] == "VariableDeclaration" and inner.get("value"):
                whole = _Site(f"{outer['name']}.{inner['name']}", inner["value"], reader.source(inner), inner, False)
                yield from _walk(reader, whole)


def _body(reader: _Reader, function: Node, scope: str) -> Iterator[_Site]:
    if not function.get("body"):
        return
    for modifier in function.get("modifiers") or []:
        if modifier.get("kind") == "modifierInvocation":
            yield _Site(scope, modifier, reader.source(modifier), function, False)
    yield from _walk(reader, _Site(scope, function["body"], "", function, False))


def _walk(reader: _Reader, site: _Site) -> Iterator[_Site]:
    kind = site.node.get("nodeType", "")
    if kind in {"EmitStatement", "RevertStatement", "PlaceholderStatement"}:
        return
    if kind.endswith("Statement") or kind.startswith("YulExpression") or kind in {"Return", "YulAssignment"}:
        site = replace(site, context=reader.source(site.node)[:300])
    yield site
    for child in _children(site.node):
        decided = _decides(site, child)
        yield from _walk(reader, _Site(site.scope, child, site.context, site.node, decided))


def _children(node: Node) -> Iterator[Node]:
    for name, value in node.items():
        if name in _NOT_CODE:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "nodeType" in child:
                yield child


def _decides(site: _Site, child: Node) -> bool:
    node = site.node
    kind = node.get("nodeType")
    if kind in {"IfStatement", "Conditional"}:
        return child is node["condition"]
    if kind == "Return":
        return _is_bool(child)
    if kind == "BinaryOperation":
        return node["operator"] in {"&&", "||"}
    if kind == "FunctionCall":
        return node["expression"].get("name") == "require" and child is node["arguments"][0]
    return site.decided and (kind == "TupleExpression" or (kind == "UnaryOperation" and node["operator"] == "!"))


def _is_bool(node: Node) -> bool:
    return bool(node.get("typeDescriptions", {}).get("typeString") == "bool")


def _changes(reader: _Reader, site: _Site) -> Iterator[_Change]:
    make = _MAKERS.get(site.node["nodeType"])
    if make is not None:
        yield from make(reader, site)


def _operator(reader: _Reader, site: _Site) -> Iterator[_Change]:
    node = site.node
    left = node.get("leftExpression") or node.get("leftHandSide")
    right = node.get("rightExpression") or node.get("rightHandSide")
    if left is None or right is None:
        return
    operator = node["operator"]
    if operator in {"&&", "||"}:
        for side, part in (("left", left), ("right", right)):
            yield reader.replaced(site, f"({reader.source(part)})", f"{operator} is its {side} side")
        return
    place = reader.between(left, right, operator)
    if place is None:
        return
    swaps = list(_SWAPS.get(operator, ()))
    if operator in _EDGES:
        swaps.append(_EDGES[operator])
    if operator in _OPPOSITES and not site.decided:
        swaps.append(_OPPOSITES[operator])
    for new in swaps:
        yield _Change(place, operator, new, f"{operator} becomes {new}", site.context)


def _condition(reader: _Reader, site: _Site) -> Iterator[_Change]:
    """A check that never refuses; a branch that is always taken, unless that only refuses everything."""
    node = site.node
    yield reader.replaced(site, "false", "condition becomes false", node["condition"])
    body = node["trueBody"]
    statements = body.get("statements", [body])
    if not any(one["nodeType"] == "RevertStatement" for one in statements):
        yield reader.replaced(site, "true", "condition becomes true", node["condition"])


def _dropped(reader: _Reader, site: _Site) -> Iterator[_Change]:
    """A statement that is not carried out."""
    start, end = reader.span(site.node)
    if reader.text[end : end + 1] == b";":
        end += 1
    yield _Change(start, reader.text[start:end].decode(), "{}", "statement is dropped", site.context)


def _unary(reader: _Reader, site: _Site) -> Iterator[_Change]:
    node = site.node
    text = reader.source(node)
    if node["operator"] == "!" and not site.decided:
        yield reader.replaced(site, text[1:], "negation is dropped")
    elif node["operator"] in {"++", "--"}:
        new = text.replace(node["operator"], "--" if node["operator"] == "++" else "++")
        yield reader.replaced(site, new, f"{node['operator']} is turned round")


def _literal(reader: _Reader, site: _Site) -> Iterator[_Change]:
    text = reader.source(site.node)
    kind = site.node.get("kind")
    if kind == "bool" and not site.decided:
        yield reader.replaced(site, "false" if text == "true" else "true", "bool is turned round")
    elif kind == "number" and re.fullmatch(r"0|[1-9][0-9_]*|0x[0-9a-fA-F]{1,4}", text):
        if text == "0" and site.parent.get("operator") in {"==", "!="}:
            return
        value = int(text, 16) if text.startswith("0x") else int(text.replace("_", ""))
        yield reader.replaced(site, str(value + 1), "number is one more")


def _modifier(reader: _Reader, site: _Site) -> Iterator[_Change]:
    yield reader.replaced(site, "", "modifier is dropped")


def _choice(reader: _Reader, site: _Site) -> Iterator[_Change]:
    for branch in ("trueExpression", "falseExpression"):
        yield reader.replaced(site, f"({reader.source(site.node[branch])})", f"always the {branch}")


def _call(reader: _Reader, site: _Site) -> Iterator[_Change]:
    """Two neighbouring arguments of one type change places."""
    arguments = site.node.get("arguments", [])
    if site.node.get("kind") != "functionCall" or site.node.get("names"):
        return
    for left, right in pairwise(arguments):
        types = [one.get("typeDescriptions", {}).get("typeString") for one in (left, right)]
        one, two = reader.source(left), reader.source(right)
        if types[0] != types[1] or one == two or types[0] is None or types[0].startswith("literal"):
            continue
        start, end = reader.span(left)[0], reader.span(right)[1]
        old = reader.text[start:end].decode()
        between = reader.text[reader.span(left)[1] : reader.span(right)[0]].decode()
        yield _Change(start, old, f"{two}{between}{one}", "arguments change places", site.context)


def _returned(reader: _Reader, site: _Site) -> Iterator[_Change]:
    expression = site.node.get("expression")
    if expression is not None and _is_bool(expression):
        text = reader.source(expression)
        new = {"true": "false", "false": "true"}.get(text, f"!({text})")
        yield reader.replaced(site, new, "answer is turned round", expression)


def _assembly(reader: _Reader, site: _Site) -> Iterator[_Change]:
    name = site.node["functionName"]
    new = _ASSEMBLY.get(name["name"])
    if new is not None:
        yield reader.replaced(site, new, f"{name['name']} becomes {new}", name)


_MAKERS: dict[str, Callable[[_Reader, _Site], Iterator[_Change]]] = {
    "BinaryOperation": _operator,
    "Assignment": _operator,
    "IfStatement": _condition,
    "ExpressionStatement": _dropped,
    "YulExpressionStatement": _dropped,
    "UnaryOperation": _unary,
    "Literal": _literal,
    "ModifierInvocation": _modifier,
    "Conditional": _choice,
    "FunctionCall": _call,
    "Return": _returned,
    "YulFunctionCall": _assembly,
}
