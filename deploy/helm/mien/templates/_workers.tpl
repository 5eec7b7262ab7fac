{{/* The commands of the workers, the same as in docker-compose.yml, and how long each may take to
     answer a ping. Without a command, the image's own is run. */}}
{{- define "mien.workers" -}}
frames:
  image: web
  pingSeconds: 10
  command: >-
    python -m celery -A fer_site.celery:app worker -n frames@%h -Q frames
    -P solo --without-mingle --without-gossip -l INFO
analyses:
  image: web
  pingSeconds: 10
  command: >-
    python -m celery -A fer_site.celery:app worker -n analyses@%h -Q analyses,maintenance
    -P prefork -c {{ .Values.workers.analyses.processes }} --prefetch-multiplier 1
    --without-mingle --without-gossip -l INFO
videos:
  image: web
  pingSeconds: 25
  command: >-
    python -m celery -A fer_site.celery:app worker -n videos@%h -Q videos
    -P threads -c {{ .Values.workers.videos.processes }} --prefetch-multiplier 1
    --without-mingle --without-gossip -l INFO
exports:
  image: web
  pingSeconds: 25
  command: >-
    python -m celery -A fer_site.celery:app worker -n exports@%h -Q exports,webhooks
    -P threads -c 8 --without-mingle --without-gossip -l INFO
# Doesn't answer a ping during a training, which takes hours.
training:
  image: trainer
{{- end }}
