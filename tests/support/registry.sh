# For suites in bash: `start_registry DIRECTORY` starts Debian's docker-registry on a free loopback port and sets
# REGISTRY_URL, or leaves it empty where there is none (a failure with OCIREG_REQUIRE_ALL=1). It ends with the suite.

start_registry() {
    local directory=$1 attempt port
    REGISTRY_URL=
    if ! command -v docker-registry >/dev/null; then
        echo "docker-registry: not installed, its tests are not run"
        [ "${OCIREG_REQUIRE_ALL:-}" != 1 ]
        return
    fi
    mkdir -p "$directory"
    for attempt in 1 2 3 4 5; do
        # Somebody else may take the port meanwhile: then the server ends, and another port is tried.
        port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
        cat >"$directory/config.yml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $directory/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$port", secret: for-tests}
EOF
        docker-registry serve "$directory/config.yml" >"$directory/log" 2>&1 &
        REGISTRY_PID=$!
        trap 'kill "$REGISTRY_PID" 2>/dev/null || true' EXIT
        if curl --silent --fail --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused \
            --max-time 30 "http://127.0.0.1:$port/v2/" && kill -0 "$REGISTRY_PID" 2>/dev/null; then
            REGISTRY_URL=http://127.0.0.1:$port
            return
        fi
        kill "$REGISTRY_PID" 2>/dev/null || true
    done
    echo "docker-registry does not start: $(cat "$directory/log")"
    return 1
}
