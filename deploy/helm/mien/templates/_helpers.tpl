{{/* Names, labels, and what all pods have in common. */}}

{{- define "mien.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "mien.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mien.labels" -}}
{{ include "mien.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "mien.secretName" -}}
{{ .Values.secret.existing | default (include "mien.fullname" .) }}
{{- end }}

{{- define "mien.claimName" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-data" (include "mien.fullname" .)) }}
{{- end }}

{{- define "mien.secretData" -}}
{{- range $name := list "DATABASE_URL" "REDIS_URL" "MIEN_SECRET_KEY" }}
{{- $_ := required (printf "Set secret.existing, or secret.values.%s." $name) (get $.Values.secret.values $name) }}
{{- end }}
{{- toYaml .Values.secret.values }}
{{- end }}

{{/* Host names of the site, also those that only the cluster uses. */}}
{{- define "mien.hosts" -}}
{{- $service := printf "%s-web" (include "mien.fullname" .) -}}
{{- $hosts := list $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) -}}
{{- if .Values.ingress.enabled }}{{ $hosts = append $hosts .Values.ingress.host }}{{ end -}}
{{- with .Values.settings.MIEN_ALLOWED_HOSTS }}{{ $hosts = append $hosts . }}{{ end -}}
{{ join "," $hosts }}
{{- end }}

{{/* A change of settings replaces the pods, which read them at their start. */}}
{{- define "mien.annotations" -}}
checksum/config: {{ include (print .Template.BasePath "/configmap.yaml") . | sha256sum }}
checksum/secret: {{ include (print .Template.BasePath "/secret.yaml") . | sha256sum }}
{{- end }}

{{/* Of a pod; takes `root` and `at`, the values that say where the pod runs. */}}
{{- define "mien.pod" -}}
automountServiceAccountToken: false
# The variables of a service named mien-metrics would be taken for settings.
enableServiceLinks: false
# The pause process reaps orphans, as `init: true` does in docker-compose.yml.
shareProcessNamespace: true
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .at.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 2Gi
  {{- if not .withoutData }}
  - name: data
    persistentVolumeClaim:
      claimName: {{ include "mien.claimName" .root }}
  {{- end }}
{{- end }}

{{/* Of a container; takes `root`, `image`, `resources`. */}}
{{- define "mien.container" -}}
image: {{ printf "%s:%s" .image (.root.Values.image.tag | default .root.Chart.AppVersion) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- if not .withoutData }}
  - name: data
    mountPath: /data
  {{- end }}
{{- end }}

{{- define "mien.settings" -}}
envFrom:
  - configMapRef:
      name: {{ include "mien.fullname" . }}
  - secretRef:
      name: {{ include "mien.secretName" . }}
{{- end }}

{{/* Where the web pods say that they are ready: not before a worker of each queue is there, unless
     some are switched off, or one has to go before its successor gets the GPU. */}}
{{- define "mien.readinessPath" -}}
{{- $path := "/health/ready/" -}}
{{- range $kind, $worker := .Values.workers -}}
{{- if or (not $worker.replicas) (get ($worker.gpu | default dict) "enabled") }}{{ $path = "/health/" }}{{ end -}}
{{- end -}}
{{ .Values.web.readinessPath | default $path }}
{{- end }}
