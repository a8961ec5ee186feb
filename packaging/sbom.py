# SPDX-License-Identifier: Apache-2.0
"""What is linked into a program, as SPDX 2.3: from the linker's own list, never from memory."""
import glob
import json
import os
import re
import subprocess
import time

from release import ROOT, epoch, read, run, sha256, version

SWIFT = "Apache-2.0 WITH Swift-exception"
GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
# Archive, or shared library: component and licence. What isn't here ends the build: look up its licence first.
LIBRARIES = [
    (r"libbpf\.a", "libbpf", "LGPL-2.1-only OR BSD-2-Clause"),
    (r"libelf\.a", "elfutils libelf", "GPL-2.0-or-later OR LGPL-3.0-or-later"),
    (r"libz\.a", "zlib", "Zlib"),
    (r"libyaml\.a", "libyaml", "MIT"),
    (r"libcrypt\.(a|so\.1)", "libxcrypt", "LGPL-2.1-or-later"),
    (r"lib(c|m|m-[0-9.]+|mvec|dl|pthread)\.a|libc\.so\.6|libm\.so\.6|ld-linux.*", "glibc", "LGPL-2.1-or-later"),
    (r"lib(gcc|gcc_eh)\.a|libgcc_s\.so\.1", "libgcc", GCC),
    (r"libstdc\+\+\.a|libstdc\+\+\.so\.6", "libstdc++", GCC),
    (r"lib(dispatch|BlocksRuntime)\.a", "swift-corelibs-libdispatch", SWIFT),
    (r"lib(FoundationEssentials|_FoundationCShims|_FoundationCollections)\.a", "swift-foundation", SWIFT),
    (r"libswift\w*\.a", "Swift runtime", SWIFT),
]
# What a package includes of others counts: llhttp in swift-nio, BoringSSL with fiat in swift-nio-ssl.
PACKAGES = {
    "swift-argument-parser": SWIFT, "swift-atomics": SWIFT, "swift-collections": SWIFT, "swift-system": SWIFT,
    "swift-nio": "Apache-2.0 AND MIT", "swift-nio-ssl": "Apache-2.0 AND MIT",
}


def component(path):
    name = os.path.basename(path)
    for pattern, title, licence in LIBRARIES:
        if re.fullmatch(pattern, name):
            return title, licence
    raise SystemExit(f"sbom: {path} is linked in, and packaging/sbom.py doesn't know it")


def debian_package(path):
    """libbpf-dev, 1:1.1.2-0+deb12u1; None if no package has the file."""
    for candidate in {path, os.path.realpath(path), "/lib" + path.removeprefix("/usr/lib"), "/usr" + path}:
        found = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
        if found.returncode == 0:
            name = found.stdout.split(": ")[0].split(",")[0]
            return name.split(":")[0], run("dpkg-query", "-W", "-f=${Version}", name)
    return None


def swift_version():
    return re.search(r"Swift version (\S+)", run(os.environ.get("SWIFTC", "swiftc"), "--version",
                                                 stderr=subprocess.DEVNULL))[1]


def entry(title, release, licence, purl=None):
    result = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", title), "name": title, "versionInfo": release,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence, "copyrightText": "NOASSERTION", "supplier": "NOASSERTION",
    }
    if purl:
        result["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}]
    return result


def of_library(path):
    title, licence = component(path)
    package = debian_package(path)
    if package is None:
        return entry(title, swift_version(), licence)
    purl = f"pkg:deb/debian/{package[0]}@{package[1].replace(':', '%3A').replace('+', '%2B')}"
    return entry(title, package[1], licence, purl)


def swift_packages(product, build):
    """The packages whose modules are among the objects, by their checkouts."""
    objects = read(f"{build}/release/{product}.product/Objects.LinkFileList").decode()
    modules = set(re.findall(r"/(\w[\w-]*)\.build/", objects))
    state = json.loads(read(f"{build}/workspace-state.json"))
    for dependency in state["object"]["dependencies"]:
        if dependency["packageRef"]["kind"] == "fileSystem":
            continue  # this repository itself
        name = dependency["packageRef"]["identity"]
        folder = f"{build}/checkouts/{dependency['subpath']}"
        theirs = {os.path.basename(path) for path in glob.glob(f"{folder}/Sources/*")}
        if modules & theirs:
            if name not in PACKAGES:
                raise SystemExit(f"sbom: {name} is linked in, and packaging/sbom.py doesn't know it")
            release = dependency["state"]["checkoutState"].get("version", "unknown")
            yield entry(name, release, PACKAGES[name], f"pkg:swift/github.com/apple/{name}@{release}")


def shared_libraries(binary):
    """Paths of the shared libraries that it needs."""
    listing = subprocess.run(["ldd", binary], capture_output=True, text=True).stdout
    return re.findall(r"(/\S+\.so\S*)", listing)


def document(program, binary, linked, build):
    """The SPDX document of `binary`.

    linked: the list of the linker for the fully static program; what is shared in `binary` replaces its archive.
    build: the folder of the build, with the checkouts of packages.
    """
    archives = {re.sub(r"\(.*", "", line.split("\t")[1]) for line in open(linked, encoding="utf-8") if "\t" in line}
    archives = {path for path in archives if path.endswith(".a")}
    shared = {}
    for path in shared_libraries(binary):
        shared.setdefault(component(path)[0], path)
    main = entry(program, version(), "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)")
    main["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256(read(binary))}]
    main["primaryPackagePurpose"] = "APPLICATION"
    packages, relations = {main["SPDXID"]: main}, []

    def add(found, relation):
        if found["SPDXID"] not in packages:
            packages[found["SPDXID"]] = found
            relations.append({"spdxElementId": main["SPDXID"], "relationshipType": relation,
                              "relatedSpdxElement": found["SPDXID"]})

    for path in shared.values():
        add(of_library(path), "DYNAMIC_LINK")
    for path in sorted(archives):
        if component(path)[0] not in shared:
            add(of_library(path), "STATIC_LINK")
    for found in swift_packages(program, build):
        add(found, "STATIC_LINK")
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{program}-{version()}",
        "documentNamespace": f"https://spdx.org/spdxdocs/{program}-{version()}-{sha256(read(binary))[:32]}",
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch())),
                         "creators": [f"Tool: {program} packaging/sbom.py"]},
        "documentDescribes": [main["SPDXID"]], "packages": list(packages.values()), "relationships": relations,
    }


def text(*arguments):
    return json.dumps(document(*arguments), indent=1) + "\n"
