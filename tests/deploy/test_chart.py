"""The Helm chart: what is in its files, and with a helm program what comes out of them."""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).parent.parent.parent
CHART = ROOT / "deploy/helm/mien"
EVERYTHING = CHART / "ci/everything-values.yaml"
HELM = os.environ.get("HELM") or shutil.which("helm")
needs_helm = pytest.mark.skipif(not HELM, reason="needs helm, which .ci/kubernetes.sh fetches")

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
KINDS = ["frames", "analyses", "videos", "exports", "training"]
FIXED = {  # by the image, the chart's other values or its templates
    *("HOST", "PORT", "POSTGRES_PASSWORD", "MIEN_DOMAIN", "MIEN_DATA", "MIEN_STATIC"),
    *("MIEN_METRICS_PORT", "MIEN_METRICS_DIR", "MIEN_ANALYSIS_PROCESSES", "MIEN_VIDEO_PROCESSES"),
}
SECRET = {
    *("DATABASE_URL", "REDIS_URL", "MIEN_SECRET_KEY", "MIEN_METRICS_TOKEN"),
    *("MIEN_EMAIL_PASSWORD", "MIEN_S3_ACCESS_KEY", "MIEN_S3_SECRET_KEY"),
    "MIEN_OIDC_CLIENT_SECRET",
}
SETTINGS = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


@functools.cache
def render(*arguments: str) -> dict[tuple[str, str], dict]:
    """What `helm template` makes, by kind and name."""
    command = [str(HELM), "template", "mien", str(CHART), "--namespace", "mien", *arguments]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [document for document in yaml.safe_load_all(text) if document]
    return {(document["kind"], document["metadata"]["name"]): document for document in found}


def everything() -> dict[tuple[str, str], dict]:
    return render("--values", str(EVERYTHING))


def pods(documents: dict) -> dict[str, dict]:
    """The pod of each Deployment, Job and test, by its name."""
    found = {}
    for (kind, name), document in documents.items():
        if kind in ("Deployment", "Job"):
            found[name] = document["spec"]["template"]["spec"]
        elif kind == "Pod":
            found[name] = document["spec"]
    return found


def container(name: str, *arguments: str) -> dict:
    return pods(render(*arguments))[name]["containers"][0]


def environment(part: dict) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in part["env"]}


# --- The files --------------------------------------------------------------------------------


def test_it_installs_the_version_of_the_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == project["version"]


def test_its_schema_knows_the_settings_of_the_site():
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    assert set(schema["settings"]["propertyNames"]["enum"]) == SETTINGS - FIXED - SECRET
    secret = set(schema["secret"]["properties"]["values"]["properties"])
    assert secret - {"REDIS_PASSWORD"} == SECRET  # which KEDA reads alone
    assert SETTINGS >= FIXED | SECRET


@pytest.mark.parametrize("path", [CHART / "values.yaml", EVERYTHING], ids=lambda path: path.name)
def test_its_values_follow_its_schema(path):
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_its_schema_knows_every_value():
    def names(schema: dict, root: dict) -> dict:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return {
            name: names(part, root) or None for name, part in schema.get("properties", {}).items()
        }

    def missing(values: dict, known: dict) -> set[str]:
        return {name for name, part in known.items() if name not in values} | {
            f"{name}.{lost}"
            for name, part in known.items()
            if part and isinstance(values.get(name), dict)
            for lost in missing(values[name], part)
        }

    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    lost = missing(values, names(schema, schema))
    optional = re.compile(
        r"global|settings\..*|secret\.values\..*|.*\.resources\.(requests|limits)"
    )
    assert [name for name in sorted(lost) if not optional.fullmatch(name)] == []


# --- What comes out ---------------------------------------------------------------------------


@needs_helm
@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_runs_the_command_of_docker_compose(kind):
    service = COMPOSE[f"worker-{kind}"]
    expected = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", service.get("command", ""))
    worker = container(f"mien-{kind}")
    assert worker.get("command", []) == shlex.split(expected)
    assert environment(worker)["MIEN_ROLE"] == service["environment"]["MIEN_ROLE"] == kind
    assert worker["image"].startswith(f"{service['image']}:")


def test_no_worker_of_docker_compose_is_forgotten():
    assert {f"worker-{kind}" for kind in KINDS} == {
        name for name in COMPOSE if name.startswith("worker-")
    }


@needs_helm
def test_beat_runs_once_with_the_command_of_docker_compose():
    beat = render()["Deployment", "mien-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    assert container("mien-beat")["command"] == shlex.split(COMPOSE["beat"]["command"])


@needs_helm
def test_setup_runs_what_docker_compose_runs():
    commands = [
        shlex.join(container(f"mien-{job}")["command"]) for job in ("migrate", "register-model")
    ]
    assert " && ".join(commands) in COMPOSE["setup"]["command"]


@needs_helm
@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_is_pinged_as_in_docker_compose(kind):
    check = COMPOSE[f"worker-{kind}"]["healthcheck"]
    probe = container(f"mien-{kind}").get("livenessProbe")
    if check.get("disable"):
        assert probe is None
    else:
        assert probe["exec"]["command"] == ["sh", "-c", check["test"].replace("$$", "$")]
        answer = int(re.search(r"-t (\d+)", check["test"])[1])
        assert answer < probe["timeoutSeconds"]


@needs_helm
@pytest.mark.parametrize("arguments", [(), ("--values", str(EVERYTHING))], ids=["default", "all"])
def test_settings_are_those_of_the_site(arguments):
    made = render(*arguments)["ConfigMap", "mien"]["data"]
    assert set(made) <= SETTINGS - SECRET
    assert all(isinstance(value, str) for value in made.values())


@needs_helm
def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(subprocess.CalledProcessError) as error:
        render("--set-string", "settings.MIEN_OPEN_SIGNUPS=false")
    assert "MIEN_OPEN_SIGNUPS" in error.value.stderr


@needs_helm
def test_without_an_existing_secret_its_values_are_required():
    with pytest.raises(subprocess.CalledProcessError) as error:
        render("--set", "secret.existing=")
    assert "secret.values.DATABASE_URL" in error.value.stderr


@needs_helm
@pytest.mark.parametrize("arguments", [(), ("--values", str(EVERYTHING))], ids=["default", "all"])
def test_pods_have_no_rights_that_they_do_not_need(arguments):
    made = pods(render(*arguments))
    assert len(made) == 10
    for name, pod in made.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for part in pod["containers"]:
            assert part["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"requests", "limits"} <= set(part["resources"]), name
            mounted = {mount["mountPath"] for mount in part["volumeMounts"]}
            assert "/tmp" in mounted, name
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert "emptyDir" in volumes["tmp"], name


@needs_helm
def test_migrations_need_nothing_that_a_first_install_makes_later():
    for documents, secret in ((render(), "mien"), (everything(), "mien-migrate")):
        job = documents["Job", "mien-migrate"]
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        pod = job["spec"]["template"]["spec"]
        assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": secret}}]
    hook = everything()["Secret", "mien-migrate"]
    assert int(hook["metadata"]["annotations"]["helm.sh/hook-weight"]) < 0
    assert hook["stringData"] == everything()["Secret", "mien"]["stringData"]


@needs_helm
def test_the_site_is_ready_when_its_workers_are():
    web = container("mien-web")
    assert web["livenessProbe"]["httpGet"]["path"] == "/health/live/"
    assert web["readinessProbe"]["httpGet"]["path"] == "/health/ready/"
    without = container("mien-web", "--set", "workers.training.replicas=0")
    assert without["readinessProbe"]["httpGet"]["path"] == "/health/"


@needs_helm
def test_probes_ask_for_a_host_that_django_allows():
    web = container("mien-web")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        (header,) = web[probe]["httpGet"]["httpHeaders"]
        assert header["name"] == "Host"
        assert header["value"] in settings.ALLOWED_HOSTS


@needs_helm
def test_a_kind_that_is_switched_off_leaves_nothing():
    made = render("--set", "workers.videos.replicas=0,keda.enabled=true")
    assert [key for key in made if key[1] == "mien-videos"] == []


@needs_helm
def test_workers_are_scaled_by_the_lists_of_their_queues():
    made = everything()
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    for kind in ("analyses", "videos", "exports"):
        assert kind in settings.QUEUES
        scaled = made["ScaledObject", f"mien-{kind}"]["spec"]
        assert scaled["scaleTargetRef"]["name"] == f"mien-{kind}"
        assert scaled["minReplicaCount"] >= 1
        (trigger,) = scaled["triggers"]
        assert trigger["metadata"]["listName"] == f"{prefix}{kind}"
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        authentication = made["TriggerAuthentication", trigger["authenticationRef"]["name"]]
        (target,) = authentication["spec"]["secretTargetRef"]
        assert target["key"] in made["Secret", target["name"]]["stringData"]
        # Helm would set the number back at each upgrade.
        assert "replicas" not in made["Deployment", f"mien-{kind}"]["spec"]
        assert "replicas" in render()["Deployment", f"mien-{kind}"]["spec"]


@needs_helm
def test_the_ingress_takes_large_uploads_and_keeps_web_sockets():
    ingress = everything()["Ingress", "mien"]
    notes = ingress["metadata"]["annotations"]
    largest = settings.MAX_DATASET_BYTES // 1024**2 + 25
    assert notes["nginx.ingress.kubernetes.io/proxy-body-size"] == f"{largest}m"
    assert int(notes["nginx.ingress.kubernetes.io/proxy-read-timeout"]) == 3600
    assert ingress["spec"]["tls"] == [{"hosts": ["mien.example.org"], "secretName": "mien-tls"}]
    assert everything()["ConfigMap", "mien"]["data"]["MIEN_HTTPS"] == "true"
    hosts = environment(pods(everything())["mien-web"]["containers"][0])["MIEN_ALLOWED_HOSTS"]
    assert {"$(POD_IP)", "mien-web", "mien.example.org", "faces.example.org"} <= set(
        hosts.split(",")
    )


@needs_helm
def test_training_takes_a_gpu_only_if_asked():
    assert "nvidia.com/gpu" not in container("mien-training")["resources"]["limits"]
    made = everything()["Deployment", "mien-training"]["spec"]
    assert made["strategy"] == {"type": "Recreate"}
    limits = made["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "8Gi", "nvidia.com/gpu": "1"}


@needs_helm
def test_photos_outlive_the_release():
    claim = render()["PersistentVolumeClaim", "mien-data"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    given = render("--set", "persistence.existingClaim=mine")
    assert ("PersistentVolumeClaim", "mien-data") not in given
    volumes = pods(given)["mien-web"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mine"}} in volumes
