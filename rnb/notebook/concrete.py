"""libcst's part: the head of a function as people wrote it. No libcst object leaves this file.

It takes a tenth of a second to load, so it is imported when the first block is analysed and not before.
"""

from __future__ import annotations

import libcst as cst

from rnb.notebook.shape import CALLED_AGAIN, Argument, Decorator, Shape


def head_shape(text: str) -> Shape | None:
    """The shape of the function that is all of `text`; None where libcst does not take what CPython takes."""
    try:
        module = cst.parse_module(text)
        node = module.body[0] if len(module.body) == 1 else None
        return _shape(module, node) if isinstance(node, cst.FunctionDef) else None
    except (cst.ParserSyntaxError, RecursionError):
        return None


def _shape(module: cst.Module, node: cst.FunctionDef) -> Shape:
    annotations, defaults = {}, {}
    for param in (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params):
        if param.annotation is not None:
            annotations[param.name.value] = module.code_for_node(param.annotation.annotation)
        if param.default is not None:
            defaults[param.name.value] = module.code_for_node(param.default)
    decorators = tuple(_decorator(module, each.decorator) for each in node.decorators)
    return Shape(decorators, annotations, defaults, node.get_docstring())


def _decorator(module: cst.Module, node: cst.BaseExpression) -> Decorator:
    if not isinstance(node, cst.Call):
        return Decorator(_dotted(node), None)
    if isinstance(node.func, cst.Call):
        inner: cst.BaseExpression = node
        while isinstance(inner, cst.Call):
            inner = inner.func
        return Decorator(_dotted(inner), (CALLED_AGAIN,))
    arguments = tuple(
        Argument(arg.star or (arg.keyword.value if arg.keyword else ""), module.code_for_node(arg.value))
        for arg in node.args
    )
    return Decorator(_dotted(node.func), arguments)


def _dotted(node: cst.BaseExpression) -> str:
    names = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr.value)
        node = node.value
    return ".".join(reversed([*names, node.value])) if isinstance(node, cst.Name) else ""
