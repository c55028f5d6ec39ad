"""Where the faces of the pictures lie that are measured: as a stage found them, by one detector for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from curate.faces.detector import Detector
from curate.faces.face import Face
from curate.history import face_of, finder_key_of, found_face_of, looked_for_face
from curate.normalize.settings import settings_of
from curate.normalize.work import finder_for, finder_of
from imageledger import manifest
from imageledger.config import Project
from imageledger.record import Record

Known = tuple[Face | Literal["unknown"] | None, str]


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of originals by object, as normalize found them, and the detector for originals that it has not seen.

    Where neither is there, a picture that no stage has looked at has an "unknown" face.
    """

    originals: Mapping[str, Known] = field(default_factory=dict)
    finder: Detector | None = None

    @classmethod
    def of_originals(cls, project: Project, records: Sequence[Record]) -> Self:
        """Return the faces in the originals of records.

        Where normalize has not seen all of them, the detector of normalize looks, or else the project's. Raises
        ModelError when that cannot be had.
        """
        path = project.manifest("normalize")
        seen = [record for record in manifest.read(path) if looked_for_face(record)] if path.is_file() else []
        known = {record.origin: (found_face_of(record), finder_key_of(record)) for record in seen}
        if all(record.origin in known for record in records):
            return cls(known)
        return cls(known, finder_for(seen[0]) if seen else finder_of(project, settings_of(project)))

    def at(self, record: Record, object_name: str) -> Known:
        """Return the face of a record in one of its objects, and the key of the detector that looked for it."""
        if object_name == record.file and looked_for_face(record):
            return face_of(record), finder_key_of(record)
        return self.originals.get(object_name, ("unknown", self.finder.key if self.finder else ""))
