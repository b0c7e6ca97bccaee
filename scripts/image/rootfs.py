"""The files of the image, as two folders: what comes from Debian, and what is ours."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

from . import ImageError, packages, static

USER = 65532
# The reference's pods call the parts by these names.
NAMES = ["agent", "manager", "proxy-agent", "proxy-server"]
# Of busybox: what `kubectl exec`, `kubectl cp`, `helm test` and a person who looks around need. Nothing here has more rights
# than the container.
APPLETS = """
  [ ash awk base64 basename cat cut date dd df diff dirname du echo egrep env expr false fgrep find free grep gunzip gzip head
  hexdump hostname id ip kill less ln ls md5sum mkdir mktemp more mv nc netstat nproc nslookup od pgrep pidof ping printf ps pwd
  readlink realpath rm rmdir route sed seq sh sha256sum sleep sort stat strings tail tar tee telnet test time timeout top touch
  tr traceroute true tty uname uniq uptime vi watch wc wget which whoami xargs xxd yes zcat
""".split()
# Compiled into the program as headers.
HEADERS = ["libboost1.81-dev"]
FILES = {
    "etc/passwd": f"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/:/bin/sh\n",
    "etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    # `files` and `dns` are part of glibc itself; there are no modules to ship.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "sbin": "usr/sbin",
    # Where OpenSSL looks when nobody names an authority.
    "usr/lib/ssl/cert.pem": "/etc/ssl/certs/ca-certificates.crt",
    "usr/lib/ssl/certs": "/etc/ssl/certs",
    "usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf",
}
FOLDERS = ["dev", "proc", "sys", "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/lib/ssl", "usr/sbin", "var"]


def write_base(root: pathlib.Path, program: pathlib.Path, shell: bool) -> list[packages.Package]:
    """The shared libraries of `program` with their loader, authorities, users and a shell; returns the packages inside."""
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for path, text in FILES.items():
        write(root / path, text.encode())
    for path, target in LINKS.items():
        (root / path).symlink_to(target)
    names = {"ca-certificates", *HEADERS}
    for library in libraries(program):
        copy(library, root / inside_usr(library))
        names.add(packages.owner(library))
    copy(pathlib.Path("/etc/ssl/certs/ca-certificates.crt"), root / "etc/ssl/certs/ca-certificates.crt")
    copy(pathlib.Path("/etc/ssl/openssl.cnf"), root / "etc/ssl/openssl.cnf")
    if shell:
        names.add("busybox-static")
        write_shell(root)
    found = sorted(packages.named(name) for name in names)
    write_licences(root, found)
    return found


def write_program(root: pathlib.Path, program: pathlib.Path, licence: pathlib.Path, linked: list[static.Library]) -> None:
    """The program without symbols and under all its names, and the licences of what is inside."""
    root.mkdir(parents=True)
    # The build id covers debug information, and with it the folder of the build.
    strip = ["llvm-objcopy-19", "--strip-all", "--remove-section=.comment", "--remove-section=.note.gnu.build-id"]
    subprocess.run([*strip, str(program), str(root / "cluster-proxy")], check=True)
    (root / "cluster-proxy").chmod(0o755)
    for name in NAMES:
        (root / name).symlink_to("cluster-proxy")
    copy(licence, root / "usr/share/doc/cluster-proxy/LICENSE")
    for library in linked:
        write(root / "usr/share/doc" / library.name / "copyright", library.text)


def libraries(program: pathlib.Path) -> list[pathlib.Path]:
    """The shared libraries that the loader would load, and the loader."""
    listing = subprocess.run(["ldd", str(program)], capture_output=True, text=True)
    if listing.returncode:
        raise ImageError(f"ldd cannot read {program}: {listing.stderr.strip()}")
    if "not found" in listing.stdout:
        raise ImageError(f"libraries of {program} are missing here: run scripts/install-deps build\n{listing.stdout}")
    return sorted({pathlib.Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(", listing.stdout, re.MULTILINE)})


def inside_usr(path: pathlib.Path) -> str:
    """/lib/x and /usr/lib/x are one file; the image has the latter, and links as Debian has them."""
    relative = str(path).lstrip("/")
    return relative if relative.startswith("usr/") else f"usr/{relative}"


def write_shell(root: pathlib.Path) -> None:
    busybox = pathlib.Path("/bin/busybox")
    if not busybox.is_file():
        raise ImageError("there is no /bin/busybox: run scripts/install-deps image")
    copy(busybox, root / "usr/bin/busybox")
    there = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    for applet in APPLETS:
        if applet in there:
            (root / "usr/bin" / applet).symlink_to("busybox")


def write_licences(root: pathlib.Path, inside: list[packages.Package]) -> None:
    common = set()
    for package in inside:
        write(root / "usr/share/doc" / package.name / "copyright", package.copyright())
        common.update(package.common_licences())
    for name in sorted(common):
        text = pathlib.Path("/usr/share/common-licenses") / name
        if text.is_file():
            copy(text, root / "usr/share/common-licenses" / name)


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o111 else 0o644)


def write(target: pathlib.Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    target.chmod(0o644)


def bytes_in(*roots: pathlib.Path) -> int:
    return sum(path.stat().st_size for root in roots for path in root.rglob("*") if path.is_file() and not path.is_symlink())
