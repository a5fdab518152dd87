"""Where the nodes of a DAG go on a page, in layers from top to bottom, after Sugiyama, Tagawa and Toda (1981).

1. A node's layer is the longest way to it. 2. An edge over several layers gets a bend in each between. 3. The order in a
layer follows the mean place of the neighbours above, then below, a few times over; the best order seen is kept.
4. Nodes go as near as they can to the mean place of their neighbours without coming too near to each other: the
exact answer for one layer, by pooling adjacent violators (Barlow et al. 1972).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MANY = 20_000  # bends beyond which edges go straight: such a graph is not looked at edge by edge
SWEEPS = 12

Edge = tuple[str, str]


class Page(NamedTuple):
    """`x` and `layer` of each node (x of its middle); `bends` of each edge, as (x, layer), ends left out."""

    x: dict[str, float]
    layer: dict[str, int]
    bends: dict[Edge, list[tuple[float, int]]]
    width: float


class _Node:
    __slots__ = ("above", "below", "key", "layer", "width", "x")

    def __init__(self, key: str, layer: int, width: float) -> None:
        self.key, self.layer, self.width = key, layer, width
        self.x = 0.0
        self.above: list[_Node] = []
        self.below: list[_Node] = []


def lay_out(widths: Mapping[str, float], edges: Sequence[Edge], gap: float) -> Page:
    """The page for nodes of these widths, given in an order in which edges go forward; others are left out of the
    layers. What hangs together is laid out by itself, from left to right."""
    place = {key: number for number, key in enumerate(widths)}
    forward = list(dict.fromkeys(edge for edge in edges if place[edge[0]] < place[edge[1]]))
    page = Page({}, {}, {}, 0.0)
    for keys in _parts(widths, edges):
        part = _part({key: widths[key] for key in keys}, [edge for edge in forward if edge[0] in keys], gap)
        left = page.width + (2 * gap if page.x else 0.0)
        page.x.update({key: x + left for key, x in part.x.items()})
        page.layer.update(part.layer)
        page.bends.update({edge: [(x + left, layer) for x, layer in bends] for edge, bends in part.bends.items()})
        page = page._replace(width=left + part.width)
    return page


def _parts(keys: Iterable[str], edges: Sequence[Edge]) -> list[dict[str, None]]:
    """The connected parts, largest first, each in the order of `keys`."""
    root = {key: key for key in keys}

    def find(key: str) -> str:
        while root[key] != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for owner, reader in edges:
        root[find(reader)] = find(owner)
    parts: dict[str, dict[str, None]] = {}
    for key in root:
        parts.setdefault(find(key), {})[key] = None
    return sorted(parts.values(), key=lambda part: -len(part))


def _part(widths: Mapping[str, float], edges: Sequence[Edge], gap: float) -> Page:
    layer = _layers(widths, edges)
    nodes = {key: _Node(key, layer[key], width) for key, width in widths.items()}
    layers: list[list[_Node]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for node in nodes.values():
        layers[node.layer].append(node)
    chains = _chains(nodes, edges, layers)
    layers = _ordered(layers)
    _spread(layers, gap)
    left = min(node.x - node.width / 2 for each in layers for node in each)
    right = max(node.x + node.width / 2 for each in layers for node in each)
    bends = {edge: [(node.x - left, node.layer) for node in chain] for edge, chain in chains.items()}
    return Page({key: node.x - left for key, node in nodes.items()}, layer, bends, right - left)


def _layers(widths: Mapping[str, float], edges: Sequence[Edge]) -> dict[str, int]:
    """Longest ways; then a node without anything above goes down to just above its readers."""
    below: dict[str, list[str]] = {key: [] for key in widths}
    inner = set()
    for owner, reader in edges:
        below[owner].append(reader)
        inner.add(reader)
    layer = dict.fromkeys(widths, 0)
    for key in widths:
        for reader in below[key]:
            layer[reader] = max(layer[reader], layer[key] + 1)
    for key in widths:
        if key not in inner and below[key]:
            layer[key] = min(layer[reader] for reader in below[key]) - 1
    return layer


def _chains(nodes: dict[str, _Node], edges: Sequence[Edge], layers: list[list[_Node]]) -> dict[Edge, list[_Node]]:
    """Connect the nodes, over a bend in each layer between."""
    bends = sum(nodes[reader].layer - nodes[owner].layer - 1 for owner, reader in edges)
    chains: dict[Edge, list[_Node]] = {}
    for owner, reader in edges:
        chain = []
        last = nodes[owner]
        if bends <= MANY:
            for layer in range(last.layer + 1, nodes[reader].layer):
                node = _Node("", layer, 8.0)
                layers[layer].append(node)
                chain.append(node)
                _connect(last, node)
                last = node
        _connect(last, nodes[reader])
        chains[owner, reader] = chain
    return chains


def _connect(upper: _Node, lower: _Node) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _ordered(layers: list[list[_Node]]) -> list[list[_Node]]:
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            _sort(layer, down)
        for layer in layers:
            for number, node in enumerate(layer):
                node.x = number
        now = _crossings(layers)
        if now < fewest:
            best, fewest = [list(layer) for layer in layers], now
    return best


def _sort(layer: list[_Node], down: bool) -> None:
    middle = {}
    for number, node in enumerate(layer):
        others = node.above if down else node.below
        middle[node] = sum(other.x for other in others) / len(others) if others else number
    layer.sort(key=middle.__getitem__)
    for number, node in enumerate(layer):
        node.x = number


def _crossings(layers: list[list[_Node]]) -> int:
    """Pairs of edges that cross, by merge counting in a Fenwick tree."""
    total = 0
    for upper, lower in itertools.pairwise(layers):
        place = {node: number + 1 for number, node in enumerate(lower)}
        tree = [0] * (len(lower) + 1)
        seen = 0
        for node in upper:
            ends = sorted(place[other] for other in node.below if other in place)
            for end in ends:
                at, before = end, 0
                while at:
                    before += tree[at]
                    at &= at - 1
                total += seen - before
            for end in ends:
                seen += 1
                while end < len(tree):
                    tree[end] += 1
                    end += end & -end
    return total


def _spread(layers: list[list[_Node]], gap: float) -> None:
    """Give every node its x."""
    for layer in layers:
        at = 0.0
        for node in layer:
            node.x = at + node.width / 2
            at += node.width + gap
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted, weights = [], []
            for node in layer:
                near = (node.above or node.below) if down else (node.below or node.above)
                wanted.append(sum(other.x for other in near) / len(near) if near else node.x)
                weights.append(4.0 if not node.key else 1.0 if near else 0.1)  # bends first: straight edges read well
            for node, x in zip(layer, _apart(layer, wanted, weights, gap), strict=True):
                node.x = x


def _apart(layer: list[_Node], wanted: list[float], weights: list[float], gap: float) -> list[float]:
    """The places nearest to `wanted`, in least squares, with the gaps kept."""
    offsets = [0.0]
    for left, right in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap)
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of nodes
    for want, weight, offset in zip(wanted, weights, offsets, strict=False):
        mean, total, count = want - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, number = pools.pop()
            mean = (mean * total + other * more) / (total + more)
            total, count = total + more, count + number
        pools.append((mean, total, count))
    places = [mean for mean, _, count in pools for _ in range(count)]
    return [place + offset for place, offset in zip(places, offsets, strict=False)]
