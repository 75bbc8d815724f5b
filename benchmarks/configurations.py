"""The configuration of each system under test: the same job, each told to do it as well as it can.

The job: one worker; keep-alive on both sides; two targets, the second taken when the first fails; connect and
response timeouts; no access log. For nginx and Envoy everything optional that costs time is off.
Knows: the three file formats. Must never: start anything.
"""

import json
import os
from pathlib import Path

from benchmarks.native import Upstream

_CONNECT_SECONDS = 1
_TOTAL_SECONDS = 60


def nginx(folder: Path, upstream: Upstream, port: int, stream_port: int) -> str:
    """`nginx.conf`: answers are buffered on `port` and passed on at once on `stream_port`."""
    user = "user root;" if os.geteuid() == 0 else ""
    scheme, tls = "http", ""
    if upstream.ca is not None:
        scheme = "https"
        tls = f"""
    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate {upstream.ca};
    proxy_ssl_name localhost;
    proxy_ssl_server_name on;
    proxy_ssl_session_reuse on;
    proxy_ssl_protocols TLSv1.2 TLSv1.3;"""
    return f"""{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
daemon off;
events {{ worker_connections 4096; use epoll; }}
http {{
    access_log off;
    tcp_nodelay on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 128k;
    client_max_body_size 10m;
    keepalive_requests 100000000;
    upstream provider {{
        server 127.0.0.1:{upstream.port} max_fails=0;
        server 127.0.0.1:{upstream.port} max_fails=0 backup;
        keepalive 512;
        keepalive_requests 100000000;
    }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_connect_timeout {_CONNECT_SECONDS}s;
    proxy_read_timeout {_TOTAL_SECONDS}s;
    proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;
    proxy_next_upstream_tries 2;{tls}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location /v1/ {{ proxy_pass {scheme}://provider; }}
    }}
    server {{
        listen 127.0.0.1:{stream_port} backlog=4096;
        location /v1/ {{ proxy_pass {scheme}://provider; proxy_buffering off; }}
    }}
}}
"""


def envoy(upstream: Upstream, port: int) -> str:
    """A static bootstrap: one listener, one route with retries, one cluster of two priorities."""
    manager = {
        "@type": _type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "stream_idle_timeout": f"{_TOTAL_SECONDS}s",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [_envoy_route()]}],
        },
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": _type("filters.http.router.v3.Router"), "dynamic_stats": False},
            }
        ],
    }
    listener = {
        "name": "front",
        "address": _address(port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    resources = {"listeners": [listener], "clusters": [_envoy_cluster(upstream)]}
    return json.dumps({"static_resources": resources}, indent=1)


def _envoy_route() -> dict[str, object]:
    retry = {
        "retry_on": "5xx,connect-failure,reset,retriable-status-codes",
        "retriable_status_codes": [429],
        "num_retries": 1,
        "per_try_timeout": f"{_TOTAL_SECONDS // 2}s",
    }
    target = {"cluster": "provider", "timeout": f"{_TOTAL_SECONDS}s", "retry_policy": retry}
    return {"match": {"prefix": "/v1/"}, "route": target}


def _envoy_cluster(upstream: Upstream) -> dict[str, object]:
    endpoint = {"endpoint": {"address": _address(upstream.port)}}
    cluster: dict[str, object] = {
        "name": "provider",
        "type": "STATIC",
        "connect_timeout": f"{_CONNECT_SECONDS}s",
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [{"priority": priority, "lb_endpoints": [endpoint]} for priority in (0, 1)],
        },
    }
    if upstream.ca is not None:
        validation = {
            "trusted_ca": {"filename": str(upstream.ca)},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "localhost"}}],
        }
        cluster["transport_socket"] = {
            "name": "tls",
            "typed_config": {
                "@type": _type("transport_sockets.tls.v3.UpstreamTlsContext"),
                "sni": "localhost",
                "common_tls_context": {
                    "validation_context": validation,
                    "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},
                },
            },
        }
    return cluster


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.{name}"


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def surefoot(folder: Path, upstream: Upstream, port: int, admin_port: int) -> str:
    """Everything on: key check, journal, two targets."""
    scheme, ca = ("http", "") if upstream.ca is None else ("https", f'ca = "{upstream.ca}"\n')
    targets = "".join(
        f"""
[targets.{name}]
provider = "openai-compatible"
base_url = "{scheme}://127.0.0.1:{upstream.port}/v1"
{ca}model = "mock-model"
key = {{ env = "MOCK_KEY" }}
place = "local"
"""
        for name in ("primary", "backup")
    )
    return f"""[[listeners]]
address = "127.0.0.1:{port}"
[admin]
address = "127.0.0.1:{admin_port}"
[journal]
path = "{folder}/journal.db"
[[keys]]
name = "bench"
env = "SUREFOOT_BENCH_KEY"
{targets}
[routes.chat]
targets = ["primary", "backup"]
watch = "off"
"""
