"""The pages of model versions for administrators, and what their forms do."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from recognition import comparison, registry
from recognition.analyses import face_detector
from recognition.engine import media
from recognition.engine.errors import MediaError, ModelError
from recognition.models import ModelEvent, ModelVersion
from recognition.uploads import LimitedUploadHandler
from recognition.version_files import read_onnx, zip_file
from training import events
from training.models import Dataset
from training.views import administrators_only

EVENTS_SHOWN = 50
DOWNLOADS = {"onnx": (read_onnx, "application/octet-stream"), "zip": (zip_file, "application/zip")}


class ModelUploadHandler(LimitedUploadHandler):
    """For model files, which have a limit of their own."""

    @property
    def limit(self) -> int:
        return settings.MAX_MODEL_BYTES


@administrators_only
def version_list(request: HttpRequest) -> HttpResponse:
    registry.active_version()  # the shipped one, where nothing else has asked for it yet
    versions = ModelVersion.objects.select_related("created_by")
    trail = ModelEvent.objects.select_related("version", "previous", "user")[:EVENTS_SHOWN]
    context = {
        "versions": [comparison.describe_version(version) for version in versions],
        "trail": trail,
        "limit_mb": settings.MAX_MODEL_BYTES // 1024**2,
    }
    return render(request, "training/version_list.html", context)


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
        "datasets": [events.describe_dataset(dataset) for dataset in datasets],
        "evaluations": events.evaluations_of(version),
    }
    return render(request, "training/version_detail.html", context)


@administrators_only
def compare(request: HttpRequest) -> HttpResponse:
    """Versions side by side, the first one as the measure."""
    versions = chosen_versions(request)
    if not versions:
        messages.error(request, "Choose two or more versions to compare.")
        return redirect("models")
    context = {
        "versions": [comparison.describe_version(version) for version in versions],
        "comparison": comparison.compare(versions),
        "curves": [
            {"version": version.number, "epochs": events.curve_of(version)} for version in versions
        ],
    }
    return render(request, "training/version_compare.html", context)


@administrators_only
@require_POST
def compare_on_photo(request: HttpRequest) -> HttpResponse:
    """The faces of a photo as each of the chosen versions reads them; the photo is not kept."""
    photo = request.FILES.get("photo")
    try:
        if photo is None or photo.too_large:
            limit = settings.MAX_UPLOAD_BYTES // 1024**2
            raise MediaError("file_too_large", f"Choose a photo of up to {limit} MB.")
        rgb, _header = media.decode_photo(photo.read(), max_pixels=settings.MAX_PIXELS)
        faces = comparison.compare_on_photo(chosen_versions(request), rgb, face_detector())
    except (MediaError, ModelError) as error:
        return JsonResponse({"code": error.code, "detail": error.message}, status=400)
    return JsonResponse({"faces": faces})


def chosen_versions(request: HttpRequest) -> list[ModelVersion]:
    """Those of `?versions=1,2` or several of them, in that order; none if fewer than two exist."""
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
        response = HttpResponse(read(version), content_type=content_type)
    except ModelError as error:
        messages.error(request, error.message)
        return redirect("model-version", number)
    response["Content-Disposition"] = f'attachment; filename="mien-version-{number}.{kind}"'
    return response


@administrators_only
@require_POST
def archive(request: HttpRequest, number: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, number=number)
    try:
        registry.archive(version, request.user)
        messages.success(request, f"Version {number} is archived. Promoting it takes it back.")
    except registry.PromotionRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("models")


@administrators_only
@require_POST
def roll_back(request: HttpRequest) -> HttpResponse:
    try:
        version = registry.roll_back(request.user)
        messages.success(request, f"Version {version.number} is in use again.")
    except registry.PromotionRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("models")


# Exempt only until the upload handler is set: whoever looks for the token reads the whole body.
@csrf_exempt
@administrators_only
@require_POST
def import_version(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [ModelUploadHandler(request)]
    return _import(request)


@csrf_protect
def _import(request: HttpRequest) -> HttpResponse:
    onnx, card = request.FILES.get("onnx"), request.FILES.get("card")
    try:
        if onnx is None or onnx.too_large or (card and card.too_large):
            limit = settings.MAX_MODEL_BYTES // 1024**2
            raise ModelError("too_large", f"Choose an ONNX file of up to {limit} MB.")
        version = registry.import_onnx(
            onnx.read(),
            card.read() if card else None,
            user=request.user,
            note=request.POST.get("note", "")[:200],
        )
    except ModelError as error:
        messages.error(request, error.message)
        return redirect("models")
    messages.success(request, f"The file is version {version.number} now.")
    return redirect("model-version", version.number)
