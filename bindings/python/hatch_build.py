"""Puts libocireg into the wheel: built from the crate around this directory, or the one that OCIREG_LIBRARY names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# As ocireg/_lib.py looks for it.
FILE_NAME = {"darwin": "libocireg.dylib", "win32": "ocireg.dll"}.get(sys.platform, "libocireg.so")


class LibraryHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        # An editable install runs from src/, where no library belongs: OCIREG_LIBRARY says where it is.
        if version == "editable":
            return
        library = self.library()
        build_data["force_include"][str(library)] = f"ocireg/_lib/{FILE_NAME}"
        build_data["pure_python"] = False
        # Any Python, this platform: the library knows nothing of Python.
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def library(self) -> Path:
        named = os.environ.get("OCIREG_LIBRARY")
        if not named:
            return self.built(self.crate())
        library = Path(named).resolve()
        if not library.is_file():
            raise SystemExit(f"OCIREG_LIBRARY names {library}, which is no file")
        return library

    def crate(self) -> Path:
        """In a clone two directories up, in a source distribution below."""
        root = Path(self.root).resolve()
        for directory in (root / "crate", root.parent.parent):
            if (directory / "Cargo.toml").is_file() and (directory / "cbindgen.toml").is_file():
                return directory
        raise SystemExit(
            f"{root} was taken out of its repository, as pip before 21.3 does: the Rust code is missing. Use a newer "
            "pip, or name a built library with OCIREG_LIBRARY=/path/to/libocireg.so"
        )

    def built(self, crate: Path) -> Path:
        cargo = os.environ.get("CARGO") or shutil.which("cargo")
        if cargo is None:
            raise SystemExit("ocireg is built with Rust, and cargo is not on PATH (or name a library: OCIREG_LIBRARY)")
        command = [cargo, "rustc", "--locked", "--release", "--lib", "--features", "capi", "--crate-type", "cdylib"]
        command += ["--message-format", "json-render-diagnostics", "--", "-C", "strip=symbols"]
        run = subprocess.run(command, cwd=crate, stdout=subprocess.PIPE, text=True)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(command)} failed in {crate}")
        for line in reversed(run.stdout.splitlines()):
            message = json.loads(line)
            if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "ocireg":
                for file in message["filenames"]:
                    if Path(file).name == FILE_NAME:
                        return Path(file)
        raise SystemExit(f"cargo built no library in {crate}")
