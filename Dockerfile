# The driver for Docker networks as an image, of what the npm package holds (in a source tree: npm run build first):
#   docker build -t calicoctl/libnetwork:VERSION PACKAGE-FOLDER
# BASE may be any image with Node 20.19 or newer, a shell and `ip`; one without `ip` needs apt-get and a network.
ARG BASE=node:26.10.0-trixie-slim
FROM ${BASE}
RUN command -v ip >/dev/null || (apt-get update && apt-get install -y --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*)
COPY package.json LICENSE /usr/lib/calicoctl/
COPY bin /usr/lib/calicoctl/bin
COPY dist /usr/lib/calicoctl/dist
RUN chmod 755 /usr/lib/calicoctl/bin/run.js && mkdir -p /usr/local/bin && ln -sf /usr/lib/calicoctl/bin/run.js /usr/local/bin/calicoctl
# Whether both sockets answer. With another --socket: --health-cmd 'node /usr/lib/calicoctl/bin/healthcheck.js SOCKET'.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 CMD ["node", "/usr/lib/calicoctl/bin/healthcheck.js"]
ENTRYPOINT ["/usr/local/bin/calicoctl", "libnetwork", "serve"]
