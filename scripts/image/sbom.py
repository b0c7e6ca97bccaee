"""The bill of materials, SPDX 2.3 in JSON. Depends on what is inside only, so that it is as reproducible as the image."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import time

from . import packages, static

DEBIAN = "http://deb.debian.org/debian/pool"


def document(version: str, inside: list[packages.Package], linked: list[static.Library], program: pathlib.Path, epoch: int) -> str:
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    described = [own_package(version, digest), *map(debian_package, inside), *map(static_library, linked)]
    relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", described[0]["SPDXID"])]
    relations += [relation(described[0]["SPDXID"], "DEPENDS_ON", each["SPDXID"]) for each in described[1:]]
    content = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    return json.dumps({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"cluster-proxy-{version}",
        "documentNamespace": f"urn:cluster-proxy:spdx:{content}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "creators": ["Tool: cluster-proxy-scripts-image"],
        },
        "packages": described,
        "relationships": relations,
    }, indent=1) + "\n"


def own_package(version: str, digest: str) -> dict:
    return {
        "SPDXID": "SPDXRef-cluster-proxy",
        "name": "cluster-proxy",
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": "APPLICATION",
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
        "comment": "The checksum is that of the executable /cluster-proxy.",
    }


def debian_package(package: packages.Package) -> dict:
    return {
        "SPDXID": "SPDXRef-debian-" + re.sub(r"[^A-Za-z0-9.-]", "-", package.name),
        "name": package.name,
        "versionInfo": package.version,
        "supplier": "Organization: Debian",
        "downloadLocation": DEBIAN,
        "filesAnalyzed": False,
        "sourceInfo": f"built from the Debian source package {package.source} {package.source_version}",
        "licenseConcluded": package.licence,
        "licenseDeclared": package.licence,
        "copyrightText": f"see /usr/share/doc/{package.name}/copyright in the image",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{package.name}@{package.version}?arch={package.architecture}",
        }],
    }


def static_library(library: static.Library) -> dict:
    return {
        "SPDXID": f"SPDXRef-static-{library.name}",
        "name": library.name,
        "versionInfo": library.version,
        "supplier": f"Organization: {library.supplier}",
        "downloadLocation": library.source,
        "filesAnalyzed": False,
        "sourceInfo": "linked statically into /cluster-proxy",
        "licenseConcluded": library.licence,
        "licenseDeclared": library.licence,
        "copyrightText": f"see /usr/share/doc/{library.name}/copyright in the image",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
             "referenceLocator": f"pkg:generic/{library.name}@{library.version}"},
            {"referenceCategory": "SECURITY", "referenceType": "cpe23Type",
             "referenceLocator": f"cpe:2.3:a:{library.name}:{library.name}:{library.version}:*:*:*:*:*:*:*"},
        ],
    }


def relation(subject: str, kind: str, of: str) -> dict:
    return {"spdxElementId": subject, "relationshipType": kind, "relatedSpdxElement": of}
