# The bot. What players do lands in /data, a volume; the economy that is shipped lies in /opt/economy, in the image,
# so that a new image brings its prices. docs/deploy.md shows how to run it.

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=/src/constraints.txt
WORKDIR /src
RUN python -m venv /opt/kokoromichi
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN /opt/kokoromichi/bin/pip install hatchling
COPY data data
COPY simulations simulations
COPY kokoromichi kokoromichi
RUN /opt/kokoromichi/bin/pip install --no-build-isolation ".[bot,mongo,postgres]" \
    && /opt/kokoromichi/bin/pip uninstall --yes hatchling

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin kokoro \
    && install --directory --owner=10001 --group=10001 /data
COPY --from=build /opt/kokoromichi /opt/kokoromichi
COPY data /opt/economy
ENV PATH=/opt/kokoromichi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOG_LEVEL=INFO \
    PROVIDER=local \
    DATA_DIR=/data \
    ECONOMY_DIR=/opt/economy \
    HEARTBEAT_FILE=/tmp/kokoromichi.heartbeat \
    MPLCONFIGDIR=/tmp/matplotlib
VOLUME /data
WORKDIR /data
USER 10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["kokoromichi", "health"]
CMD ["kokoromichi", "bot"]
