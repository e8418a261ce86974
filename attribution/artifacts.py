"""Where trained models lie: in the lake, named by the sha256 of their bytes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attribution.models import ModelVersion
from ingestion import lake
from reconciliation.models import Run

if TYPE_CHECKING:
    from attribution.evidence_lines import Line
    from attribution.learned import Model

FOLDER = "models"
MOST_KEPT = 4  # models that a process holds for its pages


def path_of(sha256: str) -> str:
    """The name of an artifact in the lake."""
    return f"{FOLDER}/{sha256}"


def keep_artifact(made: bytes) -> str:
    """Write an artifact; gives its sha256. The same bytes are written once."""
    folder = lake.work_folder("model")
    try:
        file = folder / "model"
        file.write_bytes(made)
        sha256 = lake.sha256_of(file)
        lake.keep(file, path_of(sha256))
        return sha256
    finally:
        lake.discard(folder)


def check_artifact(model: ModelVersion) -> None:
    """Read an artifact through once. AlteredFile where it is gone, was changed, or is no model of this version."""
    _read(model)


def check_bytes(model: ModelVersion) -> None:
    """Whether an artifact is as it was written, without reading what it holds. AlteredFile where it is gone or was changed."""
    lake.checked(path_of(model.artifact_sha256), model.artifact_sha256)


def read_model(model: ModelVersion) -> "Model":
    """What an artifact holds. AlteredFile where it cannot speak."""
    return _read(model)[0]


def altered_models() -> Iterator[str]:
    """A sentence for each model of the registry whose bytes are not as they were written."""
    for model in ModelVersion.objects.select_related("reconciliation"):
        try:
            check_bytes(model)
        except lake.AlteredFile as error:
            yield f"{model}: {error}"


def pinned_model(run: Run) -> "tuple[ModelVersion, Model, tuple[Line, ...]]":
    """The model that a run pinned. AlteredFile where nothing can speak for it."""
    version = ModelVersion.objects.filter(reconciliation=run.reconciliation, version=int(run.model_version)).first()
    if version is None:
        raise lake.AlteredFile(f"Model {run.model_version} is no longer in the registry. Restore it from a backup.")
    return version, *_read(version)


def _read(model: ModelVersion) -> "tuple[Model, tuple[Line, ...]]":
    from attribution.artifact import BadArtifact, from_bytes  # only who needs a model waits for its libraries

    path = lake.checked(path_of(model.artifact_sha256), model.artifact_sha256)
    try:
        return from_bytes(path.read_bytes())
    except BadArtifact as error:
        raise lake.AlteredFile(f"The artifact of {model} cannot be read. {error}") from None


def kept_model(model: ModelVersion) -> "Model":
    """A model for pages, which ask again and again: its bytes are checked each time and taken apart once. AlteredFile where it
    is gone, was changed, or is no model of this version."""
    lake.checked(path_of(model.artifact_sha256), model.artifact_sha256)
    if model.artifact_sha256 not in _kept:
        while len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[model.artifact_sha256] = _read(model)[0]
    return _kept[model.artifact_sha256]


_kept: "dict[str, Model]" = {}
