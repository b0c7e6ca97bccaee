"""Certificates by the openssl command: a trust for frontends and one for agents, as an installation has them."""

from __future__ import annotations

import dataclasses
import pathlib

from .processes import run

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:192.0.2.1,IP:192.0.2.2"
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclasses.dataclass(frozen=True)
class Trust:
    """One authority with a server and a client identity, as PEM files; `bundle` is certificate and key in one."""

    folder: pathlib.Path

    @property
    def ca(self) -> pathlib.Path:
        return self.folder / "ca.crt"

    def cert(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.key"

    def bundle(self, name: str) -> pathlib.Path:
        return self.folder / f"{name}.pem"

    @property
    def server_pkcs12(self) -> pathlib.Path:
        return self.folder / "server.p12"


PKCS12_PASSWORD = "bench"


def create(folder: pathlib.Path) -> Trust:
    folder.mkdir(parents=True)
    trust = Trust(folder)
    run(["openssl", "req", "-x509", "-new", *CURVE, "-days", "2", "-subj", f"/CN=bench {folder.name}",
         "-keyout", trust.key("ca"), "-out", trust.ca])
    for name, usage in (("server", "serverAuth"), ("client", "clientAuth")):
        _issue(trust, name, usage)
    run(["openssl", "pkcs12", "-export", "-in", trust.cert("server"), "-inkey", trust.key("server"),
         "-certfile", trust.ca, "-passout", f"pass:{PKCS12_PASSWORD}", "-out", trust.server_pkcs12])
    return trust


def _issue(trust: Trust, name: str, usage: str) -> None:
    request, extensions = trust.folder / f"{name}.csr", trust.folder / f"{name}.ext"
    extensions.write_text(f"extendedKeyUsage={usage}\n{NAMES}\n")
    run(["openssl", "req", "-new", *CURVE, "-subj", f"/CN={name}", "-keyout", trust.key(name), "-out", request])
    run(["openssl", "x509", "-req", "-in", request, "-CA", trust.ca, "-CAkey", trust.key("ca"), "-CAcreateserial",
         "-days", "2", "-out", trust.cert(name), "-extfile", extensions])
    trust.bundle(name).write_text(trust.cert(name).read_text() + trust.key(name).read_text())
