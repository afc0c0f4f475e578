"""Uploads an artifact of one config and one layer, under a tag.

Where to is said by REGISTRY_ENDPOINT, such as https://myregistry.azurecr.io; without it, the artifact is written to the
directory ./sample-artifact-layout.

    pip install ./bindings/python
    python3 examples/upload_artifact.py

or, with a library built by `cargo build --release --features capi`:

    PYTHONPATH=bindings/python/src OCIREG_LIBRARY=target/release/libocireg.so python3 examples/upload_artifact.py
"""

import os
import sys

from ocireg import Client, Error, Manifest, media_type


def main() -> None:
    # Where to: a repository at a registry, or in a directory.
    endpoint = os.environ.get("REGISTRY_ENDPOINT")
    address = f"{endpoint}/sample-artifact" if endpoint is not None else "oci-layout:./sample-artifact-layout"
    tag = "demo"

    # Create a client, and open the repository.
    client = Client()
    repository = client.repository(address)

    # Upload a config file.
    config = repository.upload_blob("Sample config")

    # Create a manifest to list the files of this artifact, with the config.
    manifest = Manifest(config.with_media_type(media_type.IMAGE_CONFIG))

    # Upload a layer file, and list it.
    layer = repository.upload_blob("Sample layer")
    manifest = manifest.layer(layer.with_media_type(media_type.IMAGE_LAYER))

    # Finally, upload the manifest file.
    uploaded = repository.upload_manifest(manifest, [tag])

    print(uploaded.digest)
    if endpoint is None:
        print("Written to ./sample-artifact-layout. To look at it:", file=sys.stderr)
        print("  umoci ls --layout ./sample-artifact-layout", file=sys.stderr)
        print("  skopeo inspect --raw oci:./sample-artifact-layout:demo", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except Error as error:
        sys.exit(str(error))
