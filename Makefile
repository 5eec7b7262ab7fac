# Mien's commands. They need make, a POSIX shell, and Python 3.11 to 3.13.
# PYTHON=... selects the Python; HOST, PORT, MIEN_DATA and the other settings in
# docs/reference/settings.md work the same way.

VENV = .venv/bin/python
PIP_INSTALL = $(VENV) -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK = $(VENV) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes
# Distributed by file over several processes; each has its own Redis, database and site.
PYTEST = $(VENV) -m pytest -n logical --maxprocesses 4 --dist loadfile
YAML_RULES = "{extends: default, rules: {line-length: {max: 100}, \
    comments: {min-spaces-from-content: 1}}}"

# The system's Node, or the one that deploy/npm.sh installed in .venv.
NODE = PATH="$$PWD/.venv/bin:$$PATH"

.PHONY: help run test js-test browser-test lint types docs bench proof audit lock clean

help:
	@echo "make run           set up and start everything; Ctrl-C stops it"
	@echo "make test          set up and run the tests (ARGS='-k name' for some of them)"
	@echo "make browser-test  the tests that use a real browser (Chromium)"
	@echo "make lint          style, imports between the layers, configuration files"
	@echo "make types         static types of Python and JavaScript"
	@echo "make docs          the documentation as a site, in site/"
	@echo "make bench         every benchmark; bench-NAME runs benchmarks/NAME.py"
	@echo "make audit         ask PyPI and npm for known vulnerabilities of the dependencies"
	@echo "make proof         kill, fuzz, soak and spy on a whole site (ARGS='--full' for hours)"
	@echo "make lock          renew the requirements*.txt from pyproject.toml"
	@echo "make clean         remove what the set-up made; never your data"

run: .venv/ready node_modules/ready
	@exec $(VENV) -m deploy.run

test: js-test .venv/ready-for-development
	$(PYTEST) $(ARGS)

js-test: node_modules/ready-for-development
	$(NODE) node --test tests/js/*.test.js

browser-test: .venv/ready-for-development node_modules/ready-for-development
	$(PYTEST) -m browser $(ARGS)

lint: .venv/ready-for-development node_modules/ready-for-development
	$(VENV) -m ruff check
	$(VENV) -m ruff format --check
	.venv/bin/lint-imports
	$(VENV) -m yamllint --strict -d $(YAML_RULES) docker-compose.yml deploy/compose.gpu.yml mkdocs.yml .github .pre-commit-config.yaml \
	    deploy/helm/stores-for-trying.yaml deploy/helm/mien/Chart.yaml deploy/helm/mien/values.yaml \
	    deploy/helm/mien/ci deploy/monitoring tests/deploy/alerts.yml
	$(NODE) node_modules/.bin/eslint static/js tests/js

# The scripts' types are generated from the API's description and the live protocol's schemas.
types: .venv/ready-for-development node_modules/ready-for-development
	$(VENV) -m mypy
	MIEN_LOG_LEVEL=ERROR $(VENV) manage.py spectacular --format openapi-json --file types/openapi.json
	$(NODE) node tests/js/generate-types.mjs types/openapi.json
	$(NODE) node_modules/.bin/tsc --project .

docs: .venv/ready-for-development node_modules/ready-for-development
	@mkdir -p docs/assets && cp node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js docs/assets/mermaid.min.js
	.venv/bin/zensical build --strict --clean
	@! grep -rhoE '(src|href)="(https?:)?//[^"]+\.(js|css|woff2?|png|svg)"' site --include=*.html

# All of them, even if one misses its limit.
bench:
	$(MAKE) --keep-going $(patsubst benchmarks/%.py,bench-%,$(shell grep -l __main__ benchmarks/*.py))

bench-%: benchmarks/%.py .venv/ready-for-development node_modules/ready
	$(VENV) -m benchmarks.$* $(ARGS)

# See docs/proof.md.
proof: .venv/ready-for-development node_modules/ready
	$(VENV) -m tests.proof $(ARGS)

# The stamps are written only after all steps succeeded.
.venv/ready: requirements.txt deploy/redis.txt deploy/venv.sh
	@sh deploy/venv.sh .venv
	@$(VENV) -m deploy.redis_server
	@echo "Installing the Python packages; the first time takes some minutes ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/ready-for-development: requirements-dev.txt .venv/ready
	@echo "Installing the packages for development ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

node_modules/ready: package-lock.json deploy/npm.sh | .venv/ready
	@echo "Installing the front-end packages ..."
	@sh deploy/npm.sh ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

node_modules/ready-for-development: package-lock.json deploy/npm.sh | .venv/ready
	@echo "Installing the front-end packages for development ..."
	@sh deploy/npm.sh ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch node_modules/ready $@

audit:
	@$${PYTHON:-python3} -m deploy.audit

lock: .venv/ready
	$(VENV) -m pip install --quiet uv
	$(LOCK) --extra train pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml -c requirements.txt -o requirements-slim.txt
	$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) deploy/node.in -o deploy/node.txt
	$(LOCK) deploy/redis.in -o deploy/redis.txt
	$(LOCK) deploy/cuda.in -c requirements.txt -o deploy/cuda.txt
	$(LOCK) .ci/requirements.in -o .ci/requirements.txt
	$(LOCK) .ci/audit.in -o .ci/audit.txt
	$(LOCK) --no-deps .ci/helm.in -o .ci/helm.txt

clean:
	rm -rf .venv node_modules site types/generated .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
