# Images of Mien: `web` runs the site and every worker that only classifies, without TensorFlow;
# `trainer` adds what training needs, `trainer-gpu` also CUDA.

FROM node:22-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund


FROM python:3.12-slim AS system
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    OMP_NUM_THREADS=1 \
    MIEN_DATA=/data \
    MIEN_STATIC=/app/collected
RUN useradd --uid 10001 --no-create-home mien \
    && install --directory --mode 0700 --owner mien --group mien /data
WORKDIR /app


# In one layer: what is deleted in a later one still counts.
FROM system AS base
COPY requirements-slim.txt deploy/trim.py ./
RUN pip install --no-cache-dir --require-hashes -r requirements-slim.txt \
    && python trim.py /usr/local/lib/python3.12/site-packages && rm trim.py


FROM base AS static-files
COPY . .
COPY --from=front-end /app/node_modules node_modules
RUN MIEN_DATA=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && find collected -name "*.map*" -delete


FROM base AS web
COPY . .
COPY --from=static-files /app/collected collected
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/')"]
CMD ["python", "-m", "uvicorn", "fer_site.asgi:application", "--host", "0.0.0.0", \
     "--port", "8000", "--no-access-log", "--lifespan", "off", "--ws-max-size", "4194304", \
     "--ws-per-message-deflate", "false", \
     "--timeout-graceful-shutdown", "3"]


FROM system AS trainer-base
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt


FROM trainer-base AS trainer
COPY . .
COPY --from=static-files /app/collected collected
USER 10001
VOLUME /data
CMD ["python", "-m", "celery", "-A", "fer_site.celery:app", "worker", "-n", "training@%h", \
     "-Q", "training", "-P", "solo", "--without-mingle", "--without-gossip", "-l", "INFO"]


FROM trainer AS trainer-gpu
USER 0
RUN pip install --no-cache-dir --require-hashes -r deploy/cuda.txt
USER 10001
