"""The page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from appliance.components.config_files import ConfigFile, ConfigFiles

TEMPLATE = Path(__file__).parent / "page.j2"


def components(connection: Any) -> tuple[ConfigFiles, ...]:
    text = Path(os.environ["SIGNPOST"]).read_text(encoding="utf-8")
    return (
        ConfigFiles(
            name="signpost.page", files=(ConfigFile(template=str(TEMPLATE), path="page"),), values={"text": text}
        ),
    )
