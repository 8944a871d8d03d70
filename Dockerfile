# The hub in one image: every process of docker-compose.yml is this image with another command.

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/hub
COPY requirements.lock ./
RUN /opt/hub/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY hub hub
COPY connectors connectors
COPY mappings mappings
RUN /opt/hub/bin/pip install --no-cache-dir --no-index --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN groupadd --gid 10001 hub \
    && useradd --uid 10001 --gid hub --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hub \
    && install -d -o hub -g hub -m 0750 /var/lib/hub
COPY --from=build /opt/hub /opt/hub
COPY config /etc/hub
ENV PATH=/opt/hub/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HUB_CONFIG=/etc/hub \
    HUB_VAR=/var/lib/hub \
    HUB_PORT=8080
USER hub
WORKDIR /var/lib/hub
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["hub"]
CMD ["web", "--host", "0.0.0.0"]
