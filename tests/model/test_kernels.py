from __future__ import annotations

import ast
from pathlib import Path

from numba.core.caching import IndexDataCacheFile

from landbridge.model import hierarchy
from landbridge.model.flows import kernels
from landbridge.model.flows.kernels import compiled


def test_kept_kernels_count_only_while_all_files_of_theirs_are_as_they_were(tmp_path: Path) -> None:
    folder = Path(compiled.__file__).parent
    assert {name for name, *_ in compiled.STAMP} == {path.name for path in folder.glob("*.py")}
    for kernel in (kernels.level, kernels.update, kernels.disperse):
        assert kernel._cache._cache_file._source_stamp == compiled.STAMP
    held = IndexDataCacheFile(str(tmp_path), "kept", compiled.STAMP)
    held.save("signature", "code")
    assert IndexDataCacheFile(str(tmp_path), "kept", compiled.STAMP).load("signature") == "code"
    touched = (*compiled.STAMP[:-1], (compiled.STAMP[-1][0], 0.0, 0))
    assert IndexDataCacheFile(str(tmp_path), "kept", touched).load("signature") is None


def test_kernels_copy_item_by_item() -> None:
    """An assignment of one array to a slice of another compiles its error message too: seconds of every first run."""
    files = [*Path(compiled.__file__).parent.glob("*.py"), *Path(hierarchy.__file__).parent.glob("*.py")]
    assert len(files) > 8
    found = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Assign) or isinstance(node.value, ast.Constant):
                continue
            sliced = [to for to in node.targets if isinstance(to, ast.Subscript) and isinstance(to.slice, ast.Slice)]
            if sliced and ast.unparse(node.value) != "np.inf":
                found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert found == []
