"""Small changes of a contract, each of which would be a defect: made over the compiler's syntax tree.

Only code is changed, never declarations, and each change is one place. What a change says of itself (`key`) does not
depend on where in the file it stands, so a list of survivors outlives edits elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Node = dict[str, Any]

_SWAPS = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("*",),
    "&&": ("||",),
    "||": ("&&",),
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


class _Reader:
    """Walks one file's tree."""

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

    def replaced(self, node: Node, new: str, kind: str, context: str) -> _Change:
        return _Change(self.span(node)[0], self.source(node), new, kind, context)


def mutants(file: str, text: bytes, tree: Node) -> list[Mutant]:
    """Every change of one file, in its order. `tree` is the compiler's syntax tree of it."""
    reader = _Reader(text)
    seen: Counter[tuple[str, str, str]] = Counter()
    made = []
    for scope, node, context in _code(reader, tree):
        for change in _changes(reader, node, context):
            where = f"{scope}: {change.kind}"
            count = seen[where, change.context, change.new]
            seen[where, change.context, change.new] += 1
            key = identify(file, where, change.context, change.new, count)
            made.append(Mutant(file, change.start, change.old, change.new, where, key))
    return made


def _code(reader: _Reader, tree: Node) -> Iterator[tuple[str, Node, str]]:
    """Every node inside a body, with its function's name and the text of its statement."""
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
                yield from _walk(reader, inner["value"], f"{outer['name']}.{inner['name']}", reader.source(inner))


def _body(reader: _Reader, function: Node, scope: str) -> Iterator[tuple[str, Node, str]]:
    if not function.get("body"):
        return
    for modifier in function.get("modifiers") or []:
        if modifier.get("kind") == "modifierInvocation":
            yield scope, modifier, reader.source(modifier)
    yield from _walk(reader, function["body"], scope, "")


def _walk(reader: _Reader, node: Node, scope: str, context: str) -> Iterator[tuple[str, Node, str]]:
    kind = node.get("nodeType", "")
    if kind in {"EmitStatement", "RevertStatement", "PlaceholderStatement"}:
        return
    if kind.endswith("Statement") or kind.startswith("YulExpression") or kind in {"Return", "YulAssignment"}:
        context = reader.source(node)[:300]
    yield scope, node, context
    for child in _children(node):
        yield from _walk(reader, child, scope, context)


def _children(node: Node) -> Iterator[Node]:
    for name, value in node.items():
        if name in _NOT_CODE:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "nodeType" in child:
                yield child


def _changes(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    make = _MAKERS.get(node["nodeType"])
    if make is not None:
        yield from make(reader, node, context)


def _operator(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    left = node.get("leftExpression") or node.get("leftHandSide")
    right = node.get("rightExpression") or node.get("rightHandSide")
    if left is None or right is None:
        return
    place = reader.between(left, right, node["operator"])
    if place is None:
        return
    for new in _SWAPS.get(node["operator"], ()):
        yield _Change(place, node["operator"], new, f"{node['operator']} becomes {new}", context)


def _condition(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    """A check that never refuses; a branch that is always taken, unless that only refuses everything."""
    yield reader.replaced(node["condition"], "false", "condition becomes false", context)
    body = node["trueBody"]
    statements = body.get("statements", [body])
    if not any(one["nodeType"] == "RevertStatement" for one in statements):
        yield reader.replaced(node["condition"], "true", "condition becomes true", context)


def _dropped(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    """A statement that is not carried out."""
    start, end = reader.span(node)
    if reader.text[end : end + 1] == b";":
        end += 1
    yield _Change(start, reader.text[start:end].decode(), "{}", "statement is dropped", context)


def _unary(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    text = reader.source(node)
    if node["operator"] == "!":
        yield reader.replaced(node, text[1:], "negation is dropped", context)
    elif node["operator"] in {"++", "--"}:
        new = text.replace(node["operator"], "--" if node["operator"] == "++" else "++")
        yield reader.replaced(node, new, f"{node['operator']} is turned round", context)
    elif node["operator"] == "delete":
        return


def _literal(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    text = reader.source(node)
    if node.get("kind") == "bool":
        yield reader.replaced(node, "false" if text == "true" else "true", "bool is turned round", context)
    elif node.get("kind") == "number" and re.fullmatch(r"0|[1-9][0-9_]*|0x[0-9a-fA-F]{1,4}", text):
        value = int(text, 16) if text.startswith("0x") else int(text.replace("_", ""))
        yield reader.replaced(node, str(value + 1), "number is one more", context)


def _modifier(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    yield reader.replaced(node, "", "modifier is dropped", context)


def _choice(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    for branch in ("trueExpression", "falseExpression"):
        yield reader.replaced(node, f"({reader.source(node[branch])})", f"always the {branch}", context)


def _call(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    """Two neighbouring arguments of one type change places."""
    arguments = node.get("arguments", [])
    if node.get("kind") != "functionCall" or node.get("names"):
        return
    for left, right in pairwise(arguments):
        types = [one.get("typeDescriptions", {}).get("typeString") for one in (left, right)]
        one, two = reader.source(left), reader.source(right)
        if types[0] != types[1] or one == two or types[0] is None or types[0].startswith("literal"):
            continue
        start, end = reader.span(left)[0], reader.span(right)[1]
        old = reader.text[start:end].decode()
        between = reader.text[reader.span(left)[1] : reader.span(right)[0]].decode()
        yield _Change(start, old, f"{two}{between}{one}", "arguments change places", context)


def _returned(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    expression = node.get("expression")
    if expression is not None and expression.get("typeDescriptions", {}).get("typeString") == "bool":
        yield reader.replaced(expression, f"!({reader.source(expression)})", "answer is turned round", context)


def _assembly(reader: _Reader, node: Node, context: str) -> Iterator[_Change]:
    name = node["functionName"]
    new = _ASSEMBLY.get(name["name"])
    if new is not None:
        yield reader.replaced(name, new, f"{name['name']} becomes {new}", context)


_MAKERS: dict[str, Callable[[_Reader, Node, str], Iterator[_Change]]] = {
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
