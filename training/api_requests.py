"""What the API of trainings takes and what else it answers; for its description only.

launch, intake and model_intake check what comes: the pages' forms and the commands use them too.
"""

from rest_framework import serializers

from training import launch

NUMBERS = {
    name: (serializers.IntegerField if option.kind is int else serializers.FloatField)(
        min_value=option.lowest, max_value=option.highest, required=False, help_text=option.title
    )
    for name, option in launch.OPTIONS.items()
}
WORDS = {
    name: serializers.ChoiceField(choices=known, required=False)
    for name, known in launch.CHOICES.items()
}


class ChosenSerializer(serializers.Serializer):
    """What every training is started with."""

    dataset = serializers.UUIDField()
    preset = serializers.ChoiceField(choices=list(launch.PRESETS), default="balanced")
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


NewRunSerializer = type("NewRunSerializer", (ChosenSerializer,), {**NUMBERS, **WORDS})


class EstimateSerializer(serializers.Serializer):
    """Seconds that a run takes; null while the speed is being measured."""

    seconds = serializers.FloatField(allow_null=True)


class OptionSerializer(serializers.Serializer):
    """A number that can be chosen."""

    title = serializers.CharField()
    whole = serializers.BooleanField()
    lowest = serializers.FloatField()
    highest = serializers.FloatField()


class PresetsSerializer(serializers.Serializer):
    """Presets with their values, options with their ranges."""

    presets = serializers.DictField(child=serializers.DictField())
    choices = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    options = serializers.DictField(child=OptionSerializer())


class NewDatasetSerializer(serializers.Serializer):
    """A data set as files."""

    data = serializers.FileField()
    votes = serializers.FileField(required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ServerFileSerializer(serializers.Serializer):
    """A data set in the server's folder."""

    path = serializers.CharField()
    votes = serializers.CharField(allow_blank=True, required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)


class ServerFilesSerializer(serializers.Serializer):
    """What lies in the server's folder."""

    files = serializers.ListField(child=serializers.CharField())


class NewEvaluationSerializer(serializers.Serializer):
    """A version on a split of a data set."""

    version = serializers.IntegerField(min_value=1)
    dataset = serializers.UUIDField()
    split = serializers.CharField()


class NewImportSerializer(serializers.Serializer):
    """A model file: ONNX, or weights as npz; `dataset` to be scored on."""

    file = serializers.FileField()
    card = serializers.FileField(required=False)
    architecture = serializers.CharField(required=False)
    dataset = serializers.UUIDField(required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class PromotionSerializer(serializers.Serializer):
    """`confirmed`: also where the version is worse than the active one on the same data."""

    confirmed = serializers.BooleanField(default=False)
