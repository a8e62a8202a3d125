from __future__ import annotations

from pathlib import Path

from numba.core.caching import IndexDataCacheFile

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
