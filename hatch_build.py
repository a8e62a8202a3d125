"""Put the built map into the wheel as a package of its own, building it first where that is needed.

An sdist carries the built files, so that a wheel made from it needs neither Node nor a registry.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's custom hook."""

    def _assets(self) -> Any:
        spec = importlib.util.spec_from_file_location("web_assets", Path(self.root) / "tools" / "web_assets.py")
        assert spec is not None and spec.loader is not None  # noqa: S101, PT018 (a file of ours)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _wanted(self) -> bool:
        web = Path(self.root) / "web"
        return os.environ.get("LANDBRIDGE_WEB") != "skip" and not self._assets().is_current(web)

    def dependencies(self) -> list[str]:
        """Node as a Python package, where something is to be built and the machine has none."""
        import shutil

        return [self._assets().NODE] if self._wanted() and not shutil.which("npm") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and say what goes into the wheel."""
        web = Path(self.root) / "web"
        if os.environ.get("LANDBRIDGE_WEB") == "skip":
            return
        if self._wanted():
            assets = self._assets()
            try:
                assets.build(web)
            except assets.Unbuilt as error:
                raise SystemExit(
                    f"landbridge: {error}\nSet LANDBRIDGE_WEB=skip to install the command line without the map."
                ) from None
        if self.target_name == "wheel" and (web / "dist" / "index.html").is_file():
            key = "force_include_editable" if version == "editable" else "force_include"
            included = {
                str(web / "dist"): "landbridge_web/static",
                str(web / "__init__.py"): "landbridge_web/__init__.py",
            }
            build_data[key] = {**build_data.get(key, {}), **included}
