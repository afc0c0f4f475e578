// Uploads an artifact of one config and one layer, under a tag.
//
// Where to is said by REGISTRY_ENDPOINT, such as https://myregistry.azurecr.io; without it, the artifact is written to
// the directory ./sample-artifact-layout.
//
//     cargo build --release --features capi
//     c++ -std=c++17 examples/upload_artifact.cpp -Iinclude -Ibindings/cpp -Ltarget/release -locireg
//         -Wl,-rpath,$PWD/target/release -o upload_artifact
//     ./upload_artifact

#include <cstdlib>
#include <iostream>
#include <string>

#include "ocireg.hpp"

int main()
try {
    // Where to: a repository at a registry, or in a directory.
    const char *endpoint = std::getenv("REGISTRY_ENDPOINT");
    const std::string address = endpoint != nullptr ? std::string(endpoint) + "/sample-artifact"
                                                    : "oci-layout:./sample-artifact-layout";
    const std::string tag = "demo";

    // Create a client, and open the repository.
    const ocireg::client client;
    const auto repository = client.repository(address);

    // Upload a config file.
    const auto config = repository.upload_blob("Sample config");

    // Create a manifest to list the files of this artifact, with the config.
    auto manifest = ocireg::manifest(config.with_media_type(ocireg::media_type::image_config));

    // Upload a layer file, and list it.
    const auto layer = repository.upload_blob("Sample layer");
    manifest = manifest.layer(layer.with_media_type(ocireg::media_type::image_layer));

    // Finally, upload the manifest file.
    const auto uploaded = repository.upload_manifest(manifest, {tag});

    std::cout << uploaded.digest() << "\n";
    if (endpoint == nullptr) {
        std::cerr << "Written to ./sample-artifact-layout. To look at it:\n"
                  << "  umoci ls --layout ./sample-artifact-layout\n"
                  << "  skopeo inspect --raw oci:./sample-artifact-layout:demo\n";
    }
    return EXIT_SUCCESS;
} catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return EXIT_FAILURE;
}
