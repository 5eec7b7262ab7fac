"""The files of a model version: verified, loaded and exported."""

import hashlib
import io
import json
import zipfile

from django.conf import settings
from django.db.models.fields.files import FieldFile

from recognition.engine import precision
from recognition.engine.classifier import EmotionClassifier
from recognition.engine.errors import ModelError
from recognition.models import ModelVersion
from recognition.registry.model_files import check_answers


def read_onnx(version: ModelVersion) -> bytes:
    """The ONNX file of a version. Raises ModelError: missing_file, changed_model."""
    return _read(version, version.onnx, version.sha256)


def read_int8(version: ModelVersion) -> bytes:
    """Its ONNX file in 8-bit numbers, which it must have. Raises ModelError like read_onnx."""
    return _read(version, version.int8, version.int8_sha256)


def read_weights(version: ModelVersion) -> bytes | None:
    """The weights of a version, or None. Raises ModelError like read_onnx."""
    if not version.weights:
        return None
    return _read(version, version.weights, version.weights_sha256)


def read_keras(version: ModelVersion) -> bytes | None:
    """The .keras file of a version, or None. Raises ModelError like read_onnx."""
    if not version.keras:
        return None
    return _read(version, version.keras, version.keras_sha256)


def file_in_use(version: ModelVersion) -> FieldFile:
    """The ONNX file that this process reads faces with: the int8 one where it suits."""
    wants_int8 = version.int8 and precision.preferred(settings.PRECISION) == precision.INT8
    return version.int8 if wants_int8 else version.onnx


def read_in_use(version: ModelVersion) -> bytes:
    """Its content. Raises ModelError: missing_file, changed_model."""
    return read_int8(version) if file_in_use(version) is version.int8 else read_onnx(version)


def load_classifier(version: ModelVersion) -> EmotionClassifier:
    """A new classifier for a version, checked and warmed up. Raises ModelError."""
    classifier = EmotionClassifier(read_in_use(version))
    check_answers(classifier)
    return classifier


def card_file(version: ModelVersion) -> bytes:
    """The card as JSON, with the registry's data about the version."""
    facts = {
        "number": version.number,
        "sha256": version.sha256,
        "weights_sha256": version.weights_sha256 or None,
        "keras_sha256": version.keras_sha256 or None,
        "data_hash": version.data_hash or None,
        "registered_at": version.created_at.isoformat(),
        "note": version.note,
    }
    return (json.dumps({**version.card, "version": facts}, indent=2) + "\n").encode()


def zip_file(version: ModelVersion) -> bytes:
    """A zip of expression.onnx, expression.json (the card) and, if present, weights.npz and
    expression.keras. Raises ModelError like read_onnx.
    """
    contents = {"expression.onnx": read_onnx(version), "expression.json": card_file(version)}
    for name, content in (
        ("weights.npz", read_weights(version)),
        ("expression.keras", read_keras(version)),
    ):
        if content is not None:
            contents[name] = content
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # weights don't compress
        for name, content in contents.items():
            archive.writestr(name, content)
    return file.getvalue()


def _read(version: ModelVersion, stored: FieldFile, sha256: str) -> bytes:
    try:
        with stored.storage.open(str(stored.name)) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise ModelError("missing_file", f"A file of {version} is missing.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError("changed_model", f"A file of {version} is not the one registered.")
    return content
