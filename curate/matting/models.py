"""Cut-out models: where the file lies, whether it is the right one, and what it may be used for."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from curate.matting.uncompiled import uncompiled
from imageledger.errors import ModelError
from imageledger.extras import need

NO_MODEL_NEEDED = "--matting grabcut needs no model, and cuts more roughly"
CUSTOM = ("u2net_custom", "dis_custom", "ben_custom")
"""The sessions of rembg that take a file of the user's own."""

NOT_FOR_PEOPLE = ("sam", "u2net_cloth_seg")
"""Sessions of rembg that answer another question: they want clicks, or part clothes."""

PATIENCE = 10
"""Seconds without an answer after which a download is given up; rembg's own downloader waits 30 at each turn."""

LICENCES = {
    "u2net": "Apache-2.0",
    "u2netp": "Apache-2.0",
    "u2net_human_seg": "Apache-2.0",
    "silueta": "Apache-2.0",
    "isnet-general-use": "Apache-2.0",
    "birefnet-general": "MIT",
    "birefnet-general-lite": "MIT",
    "birefnet-portrait": "MIT",
    "bria-rmbg": "LicenseRef-BRIA-RMBG-2.0-non-commercial",
}
"""Licences of the weights, which differ from that of rembg's code; "unknown" for the others."""

DIGESTS = {
    "u2net": "md5:60024c5c889badc19c04ad937298a77b",
    "u2netp": "md5:8e83ca70e441ab06c318d82300c84806",
    "u2net_human_seg": "md5:c09ddc2e0104f800e3e1bb4652583d1f",
    "silueta": "md5:55e59e0d8062d2f5d013f4725ee84782",
    "isnet-general-use": "md5:fc16ebd8b0c10d971d3513d564d01e29",
}
"""What rembg 2.0.86 expects of a download. It never looks again at a file that is already there; we do."""


@dataclass(frozen=True, slots=True)
class Model:
    """A cut-out model: rembg's name for it, its file, and what goes into every row that it cut out."""

    name: str
    path: Path
    sha256: str
    licence: str


def find_model(name: str, path: Path | None = None, sha256: str = "", *, download: bool = True) -> Model:
    """Find the file of a model, or `download` it once, and check it.

    Raises ModelError for an unknown or remote model, a file that cannot be had, or a wrong digest.
    """
    need("onnxruntime", "whiten")  # rembg ends the interpreter when it is missing
    with uncompiled():
        sessions = need("rembg.sessions", "whiten").sessions

    if path is not None and name not in CUSTOM:
        name = CUSTOM[0]
    session = sessions.get(name)
    if session is None or name in NOT_FOR_PEOPLE:
        known = sorted(model for model, kind in sessions.items() if kind.is_local() and model not in NOT_FOR_PEOPLE)
        raise ModelError(f"{name!r} is not a model that cuts people out", f"one of {', '.join(known)}")
    if not session.is_local():
        raise ModelError(
            f"{name} sends every picture to a remote service", "use a model that runs here, such as u2net_human_seg"
        )
    if path is None and name in CUSTOM:
        raise ModelError(f"{name} needs a file", "name it with --model-path FILE")
    file = path if path is not None else _own_file(session, name, download)
    if not file.is_file():
        raise ModelError(f"there is no model at {file}", f"put the file there; {NO_MODEL_NEEDED}")
    content = file.read_bytes()
    seen = hashlib.sha256(content).hexdigest()
    wanted = "" if path is not None else DIGESTS.get(name, "")
    if wanted and hashlib.md5(content, usedforsecurity=False).hexdigest() != wanted.removeprefix("md5:"):
        raise ModelError(
            f"{file} is damaged or another model: it does not have the digest {wanted}",
            f"delete it and run the command again; {NO_MODEL_NEEDED}",
        )
    if sha256 and seen != sha256:
        raise ModelError(f"{file} has sha256 {seen}, not {sha256}", "mend model_sha256, or put the right file there")
    return Model(name=name, path=file, sha256=seen, licence=LICENCES.get(name, "unknown"))


def _own_file(session: type, name: str, download: bool) -> Path:
    fname = f"{name}.onnx"
    existing = session.resolve_existing(fname)  # type: ignore[attr-defined]
    if existing is not None:
        return Path(existing)
    import pooch.downloaders

    target = Path(session.model_dir()) / fname  # type: ignore[attr-defined]
    if not download:
        raise ModelError(f"its model {name} is not on this machine", f"put the file at {target}")
    pooch.downloaders.DEFAULT_TIMEOUT = PATIENCE
    try:
        return Path(session.download_models())  # type: ignore[attr-defined]
    except (OSError, ValueError) as error:  # requests' errors are OSErrors; pooch raises ValueError on a digest
        raise ModelError(
            f"the model {name} could not be downloaded ({type(error).__name__})",
            f"put the file at {target}{os.linesep}     or name one with --model-path FILE; {NO_MODEL_NEEDED}",
        ) from error
