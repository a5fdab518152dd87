"""PyTorch: tensors by type, device, layout, gradient and content; writes through shared storage count.

Content goes through NumPy, without a copy on the CPU. What is not a dense array of numbers is left to pickle's protocol.
"""

from __future__ import annotations

import sys
from itertools import chain

from rnb.kernel.prints import arrays
from rnb.kernel.prints.names import class_module
from rnb.kernel.prints.objects import dict_getter, object_handler
from rnb.kernel.prints.walk import Opaque, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rnb.kernel.prints.walk import Children, Handler, Walk

torch: Any = None


def tables(library: Any) -> tuple[dict[type, Handler], dict[type, Handler]]:
    global torch
    torch = library
    return {}, {torch.Tensor: tensor}


def tensor(walk: Walk, value: Any) -> Children:
    if value.layout is not torch.strided or value.is_quantized or "numpy" not in sys.modules:
        return object_handler(type(value))(walk, value)
    if value.device.type == "meta" or not str(class_module(type(value))).startswith("torch"):
        raise Opaque("a tensor without memory, or of a class that may hide more")
    if walk.seen(value):
        return None
    walk.put("tensor", str(value.dtype), str(value.device), tuple(value.shape), tuple(value.stride()))
    walk.put(value.requires_grad, value.is_leaf, value.is_conj(), value.is_neg())
    _place(walk, value)
    plain = value.detach().resolve_conj().resolve_neg().cpu().contiguous().reshape(-1)
    walk.put("content")
    if plain.numel():
        arrays.np = sys.modules["numpy"]
        arrays.memory(walk, plain.view(torch.uint8).numpy())
    attributes = dict_getter(torch.Tensor)(value) if dict_getter(torch.Tensor) is not None else {}
    return chain(walk.klass(type(value)), (value.grad if value.is_leaf else None, attributes or None))


def _place(walk: Walk, value: Any) -> None:
    storage = value.untyped_storage()
    walk.region(place(storage.data_ptr()))
    walk.memory(place(storage.data_ptr()), value.storage_offset(), storage)
