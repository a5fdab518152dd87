"""Heavy work at module level: it runs at every import, and again whenever the setup does, and is never cached."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rnb.messages import Fault
from rnb.notebook.blocks import is_main
from rnb.notebook.shape import dotted_name

_ATTRIBUTES = frozenset([
    "read_csv", "read_parquet", "read_excel", "read_json", "read_sql", "read_sql_query", "read_sql_table",
    "read_table", "read_feather", "read_pickle", "read_html", "read_xml", "read_hdf", "read_orc", "read_stata",
    "read_sas", "read_spss", "read_fwf", "read_gbq", "read_database", "read_ipc", "read_avro", "loadtxt",
    "genfromtxt", "urlopen", "urlretrieve", "fit", "fit_transform", "fit_predict", "cross_val_score", "train",
    "download", "from_pretrained", "load_dataset", "fetch_openml", "train_test_split", "collect", "check_output",
    "check_call", "Popen",
])  # fmt: skip
_DOTTED = frozenset([
    "requests.get", "requests.post", "requests.put", "requests.request", "httpx.get", "httpx.post", "time.sleep",
    "subprocess.run", "subprocess.call", "os.system", "np.load", "numpy.load", "json.load", "pickle.load",
    "joblib.load", "torch.load", "yaml.safe_load", "sleep",
])  # fmt: skip
_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)
_LOOPS = (ast.For, ast.While, ast.AsyncFor)


def heavy(tree: ast.Module) -> Iterator[Fault]:
    """One warning for each module-level statement that reads data, waits, trains or loops over calls."""
    for node in tree.body:
        if isinstance(node, _LATER) or is_main(node):
            continue
        call = _first(node)
        if call is not None:
            what = f"`{dotted_name(call.func)}(…)`" if isinstance(call, ast.Call) else "a loop"
            yield Fault(
                code="heavy-setup",
                severity="warning",
                message=f"{what} at module level runs at every import of the file, and no cell's result is kept for it",
                hint="move it into a cell that returns what it makes",
                line=call.lineno,
                column=call.col_offset + 1,
                end_line=call.lineno if isinstance(call, _LOOPS) else call.end_lineno or call.lineno,
                end_column=call.col_offset + 4 if isinstance(call, _LOOPS) else (call.end_col_offset or 0) + 1,
            )


def _first(root: ast.AST) -> ast.Call | ast.For | ast.While | ast.AsyncFor | None:
    """The first heavy thing that runs when the statement does. A stack of its own: expressions may be very deep."""
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, _LATER):
            continue
        if isinstance(node, _LOOPS) and any(
            isinstance(each, ast.Call) for part in node.body for each in ast.walk(part)
        ):
            return node
        if isinstance(node, ast.Call):
            name = dotted_name(node.func)
            if name in _DOTTED or (isinstance(node.func, ast.Attribute) and node.func.attr in _ATTRIBUTES):
                return node
        todo += reversed([*ast.iter_child_nodes(node)])
    return None
