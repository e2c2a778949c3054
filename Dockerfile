# Vigía with the pipeline that ships with it. Python 3.11: later ones of this Debian carry a SQLite that
# the durable jobs cannot use.
FROM python:3.11-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 990 --user-group --home-dir /srv/vigia --shell /usr/sbin/nologin vigia \
    && install -d -o vigia -g vigia -m 0750 /srv/vigia

WORKDIR /opt/vigia
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY monitor monitor
COPY pipeline pipeline
RUN pip install --no-cache-dir ".[pipeline,apprise]"

USER vigia
WORKDIR /srv/vigia
ENV VIGIA_HOME=/srv/vigia
VOLUME /srv/vigia
# The monitor reaps, passes signals on and ends what it started: it needs no init before it.
ENTRYPOINT ["python", "-P", "-m", "monitor"]
CMD ["run"]
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-P", "-m", "monitor", "status"]
