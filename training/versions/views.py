"""The pages and forms of model versions for administrators."""

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from recognition import decoding, networks
from recognition.api.people import administrators_only, person_of
from recognition.engine.errors import MediaError, ModelError
from recognition.engine.formats import COMMON_FORMATS
from recognition.models import ModelEvent, ModelVersion
from recognition.photos.uploads import LimitedUpload
from recognition.registry import comparison, registry
from recognition.registry.version_files import card_file, read_keras, read_onnx, zip_file
from training.core.config import ARCHITECTURES
from training.datasets import events as dataset_events
from training.models import Dataset, ModelImport
from training.versions import events as version_events
from training.versions import intake, promotion

EVENTS_SHOWN = 50
IMPORTS_SHOWN = 5
DOWNLOADS = {
    "onnx": (read_onnx, "application/octet-stream"),
    "keras": (read_keras, "application/octet-stream"),
    "json": (card_file, "application/json"),
    "zip": (zip_file, "application/zip"),
}


@administrators_only
def version_list(request: HttpRequest) -> HttpResponse:
    registry.active_version()  # the shipped one, unless it is registered already
    versions = ModelVersion.objects.select_related("created_by")
    trail = ModelEvent.objects.select_related("version", "previous", "user")[:EVENTS_SHOWN]
    context = {
        "versions": [comparison.describe_version(version) for version in versions],
        "trail": trail,
        "newest_event": newest_event(),
        "limit_mb": settings.MAX_MODEL_BYTES // 1024**2,
        "kinds": ",".join(intake.KINDS),
        "architectures": ARCHITECTURES,
        "datasets": Dataset.objects.filter(status=Dataset.Status.SUCCEEDED),
        "imports": [version_events.describe_import(one) for one in open_imports()],
    }
    return render(request, "training/versions/versions.html", context)


def newest_event() -> int | None:
    """A value that tells a page whether the versions have changed since it was rendered."""
    return ModelEvent.objects.values_list("pk", flat=True).first()


def open_imports() -> QuerySet[ModelImport]:
    """The latest imports that haven't become a version."""
    imports = ModelImport.objects.exclude(status=ModelImport.Status.SUCCEEDED)
    return imports.select_related("created_by", "model_version")[:IMPORTS_SHOWN]


@administrators_only
def version_detail(request: HttpRequest, number: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, number=number)
    trail = version.events.select_related("version", "previous", "user")
    datasets = Dataset.objects.filter(status=Dataset.Status.SUCCEEDED)
    context = {
        "version": comparison.describe_version(version),
        "card": version.card,
        "run": version.runs.first(),
        "trail": trail,
        "newest_event": newest_event(),
        "datasets": [dataset_events.describe_dataset(dataset) for dataset in datasets],
        "evaluations": version_events.evaluations_of(version),
    }
    return render(request, "training/versions/version.html", context)


@administrators_only
def compare(request: HttpRequest) -> HttpResponse:
    """Versions compared with the first one as the baseline."""
    versions = chosen_versions(request)
    if not versions:
        messages.error(request, "Choose two or more versions to compare.")
        return redirect("models")
    context = {
        "versions": [comparison.describe_version(version) for version in versions],
        "comparison": promotion.compare(versions),
        "curves": [
            {"version": version.number, "epochs": version_events.curve_of(version)}
            for version in versions
        ],
    }
    return render(request, "training/versions/compare.html", context)


@administrators_only
@require_POST
def compare_on_photo(request: HttpRequest) -> HttpResponse:
    """The faces of a photo, classified by each selected version; the photo isn't stored."""
    photo = cast(LimitedUpload | None, request.FILES.get("photo"))
    try:
        if photo is None or photo.too_large:
            limit = settings.MAX_UPLOAD_BYTES // 1024**2
            raise MediaError("file_too_large", f"Choose a photo of up to {limit} MB.")
        rgb, _header = decoding.decode_photo(
            photo.read(),
            request.user.pk,
            min_side=settings.STORED_SIDE,
            max_jpeg_pixels=settings.MAX_PIXELS,
            only=COMMON_FORMATS,
        )
        faces = comparison.compare_on_photo(
            chosen_versions(request), rgb, networks.photo_detector("fast")
        )
    except (MediaError, ModelError) as error:
        return JsonResponse({"code": error.code, "detail": error.message}, status=400)
    return JsonResponse({"faces": faces})


def chosen_versions(request: HttpRequest) -> list[ModelVersion]:
    """The versions in `?versions=1,2`, in that order; empty if fewer than two exist."""
    wanted = ",".join(request.GET.getlist("versions")).split(",")
    numbers = list(dict.fromkeys(int(number) for number in wanted if number.isdecimal()))
    found = ModelVersion.objects.in_bulk(numbers, field_name="number")
    if len(numbers) < 2 or len(found) < len(numbers):
        return []
    return [found[number] for number in numbers]


@administrators_only
def download(request: HttpRequest, number: int, kind: str) -> HttpResponse:
    version = get_object_or_404(ModelVersion, number=number)
    if kind not in DOWNLOADS:
        raise Http404
    read, content_type = DOWNLOADS[kind]
    try:
        content = read(version)
    except ModelError as error:
        messages.error(request, error.message)
        return redirect("model-version", number)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="mien-version-{number}.{kind}"'
    return response


@administrators_only
@require_POST
def archive(request: HttpRequest, number: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, number=number)
    try:
        registry.archive(version, request.user)
        messages.success(request, f"Version {number} is archived. Promote it to bring it back.")
    except registry.PromotionRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("models")


@administrators_only
@require_POST
@reauthentication_required
def roll_back(request: HttpRequest) -> HttpResponse:
    try:
        version = registry.roll_back(request.user)
        messages.success(request, f"Version {version.number} is active again.")
    except registry.PromotionRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("models")


# Exempt only until the upload handler is set: checking the token reads the whole body.
@csrf_exempt
@administrators_only
@require_POST
def import_version(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [intake.ModelUploadHandler(request)]
    return _import(request)


@csrf_protect
def _import(request: HttpRequest) -> HttpResponse:
    file, card = (cast(LimitedUpload | None, request.FILES.get(name)) for name in ("file", "card"))
    try:
        found = intake.add_upload(person_of(request), file, card, request.POST)
    except ModelError as error:
        messages.error(request, error.message)
        return redirect("models")
    if found.model_version is None:
        messages.success(request, "The weights are queued for import.")
        return redirect("models")
    messages.success(request, f"The file was imported as version {found.model_version.number}.")
    return redirect("model-version", found.model_version.number)
