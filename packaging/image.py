# SPDX-License-Identifier: Apache-2.0
"""An OCI image from scratch: one layer with the program, as an archive that podman, skopeo and docker load."""
import json
import time

from release import compressed, epoch, read, sha256, tar, version

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def encoded(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def descriptor(media_type, data, **others):
    return {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data), **others}


def image(program, binary, architecture):
    """The archive's bytes."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch()))
    layer = tar([(program, read(binary), 0o755)])
    packed = compressed(layer)
    labels = {
        "org.opencontainers.image.title": program, "org.opencontainers.image.version": version(),
        "org.opencontainers.image.licenses": "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)",
        "org.opencontainers.image.created": created,
    }
    config = encoded({
        "architecture": architecture, "os": "linux", "created": created,
        "config": {"Entrypoint": [f"/{program}"], "WorkingDir": "/", "Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(layer)]},
        "history": [{"created": created, "created_by": "packaging/image.py"}],
    })
    manifest = encoded({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config),
        "layers": [descriptor(LAYER, packed)], "annotations": labels,
    })
    name = {"org.opencontainers.image.ref.name": f"{program}:{version().replace('+', '-')}"}
    index = encoded({"schemaVersion": 2, "manifests": [descriptor(
        MANIFEST, manifest, annotations=name, platform={"architecture": architecture, "os": "linux"})]})
    blobs = sorted((sha256(data), data) for data in (packed, config, manifest))
    return tar([("oci-layout", encoded({"imageLayoutVersion": "1.0.0"}), 0o644), ("index.json", index, 0o644),
                ("blobs/", None, 0o755), ("blobs/sha256/", None, 0o755),
                *((f"blobs/sha256/{digest}", data, 0o644) for digest, data in blobs)])
