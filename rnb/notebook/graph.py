"""The DAG: edges by name, a deterministic order, cycles. The only file that imports networkx; its objects stay here."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import pairwise

import networkx as nx

Edge = tuple[str, str, str]


def order_and_cycles(ids: list[str], edges: Iterable[Edge]) -> tuple[list[str], list[list[str]]]:
    """The run order (topological, ties by place in `ids`; members of cycles last, by place) and the cycles.

    Each cycle is a shortest closed walk a, b, …, a through a component's first member, then all other members of
    that component that it does not touch are told by `members`.
    """
    graph = _graph(ids, edges)
    place = {id: number for number, id in enumerate(ids)}
    waiting = {id: degree for id, degree in graph.in_degree() if degree}
    ready = [place[id] for id in ids if id not in waiting]
    order = []
    while ready:
        id = ids[heapq.heappop(ready)]
        order.append(id)
        for reader in graph.successors(id):
            waiting[reader] -= 1
            if not waiting[reader]:
                del waiting[reader]
                heapq.heappush(ready, place[reader])
    if not waiting:
        return order, []
    cycles = _components(graph, place)
    inside = {id for cycle in cycles for id in cycle}
    below = _order_below(graph, [id for id in ids if id in waiting and id not in inside], place)
    return order + below + sorted(inside, key=place.__getitem__), cycles


def _order_below(graph: nx.DiGraph[str], ids: list[str], place: dict[str, int]) -> list[str]:
    """The order of the cells below a cycle, which wait for it for ever."""
    part = graph.subgraph(ids)
    return list(nx.lexicographical_topological_sort(part, key=place.__getitem__))


def _graph(ids: Iterable[str], edges: Iterable[Edge]) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(ids)
    graph.add_edges_from((owner, reader) for owner, reader, _ in edges)
    return graph


def _components(graph: nx.DiGraph[str], place: dict[str, int]) -> list[list[str]]:
    found = [sorted(each, key=place.__getitem__) for each in nx.strongly_connected_components(graph) if len(each) > 1]
    return sorted(found, key=lambda members: place[members[0]])


def cycle_path(members: list[str], edges: Iterable[Edge]) -> list[tuple[str, str]]:
    """A shortest way around through the first member: [(cell, the name it takes from the next …)], closed."""
    inside = set(members)
    names: dict[tuple[str, str], str] = {}
    for owner, reader, name in edges:
        if owner in inside and reader in inside:
            names.setdefault((owner, reader), name)
    graph = _graph(members, ((owner, reader, name) for (owner, reader), name in names.items()))
    first = members[0]
    ways = [nx.shortest_path(graph, reader, first) for reader in graph.successors(first)]
    way = [first, *min(ways, key=len)]
    return [(owner, names[owner, reader]) for owner, reader in pairwise(way)]


def descendants(ids: Iterable[str], edges: Iterable[Edge], roots: Iterable[str]) -> set[str]:
    """The cells below `roots`, without these unless they lie below one another."""
    graph = _graph(ids, edges)
    found: set[str] = set()
    for root in roots:
        if root in graph:
            found |= nx.descendants(graph, root)
    return found
