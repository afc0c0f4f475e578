/*
 * Uploads an artifact of one config and one layer, under a tag.
 *
 * Where to is said by REGISTRY_ENDPOINT, such as https://myregistry.azurecr.io; without it, the artifact is written to
 * the directory ./sample-artifact-layout.
 *
 *     cargo build --release --features capi
 *     cc examples/upload_artifact.c -Iinclude -Ltarget/release -locireg -Wl,-rpath,$PWD/target/release -o upload_artifact
 *     ./upload_artifact
 *
 * or, with the library inside the program:
 *
 *     cc examples/upload_artifact.c -Iinclude target/release/libocireg.a -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc \
 *        -o upload_artifact
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocireg.h"

int main(void)
{
    /* Where to: a repository at a registry, or in a directory. */
    const char *endpoint = getenv("REGISTRY_ENDPOINT");
    const char *tag = "demo";
    char address[1024] = "oci-layout:./sample-artifact-layout";
    if (endpoint != NULL) {
        int length = snprintf(address, sizeof address, "%s/sample-artifact", endpoint);
        if (length < 0 || (size_t)length >= sizeof address) {
            fprintf(stderr, "REGISTRY_ENDPOINT is too long\n");
            return EXIT_FAILURE;
        }
    }

    const char *config_text = "Sample config";
    const char *layer_text = "Sample layer";
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_descriptor *config = NULL, *layer = NULL, *uploaded = NULL;
    ocireg_manifest *manifest = NULL;
    ocireg_error *err = NULL;
    int result = EXIT_FAILURE;

    /* Create a client, and open the repository. */
    if (ocireg_client_new(NULL, &client, &err))
        goto done;
    if (ocireg_client_repository(client, address, &repository, &err))
        goto done;

    /* Upload a config file. */
    if (ocireg_repository_upload_blob(repository, (const uint8_t *)config_text, strlen(config_text), NULL, &config, &err))
        goto done;
    if (ocireg_descriptor_set_media_type(config, OCIREG_MEDIA_TYPE_IMAGE_CONFIG, &err))
        goto done;

    /* Create a manifest to list the files of this artifact, with the config. */
    if (ocireg_manifest_new(config, &manifest, &err))
        goto done;

    /* Upload a layer file, and list it. */
    if (ocireg_repository_upload_blob(repository, (const uint8_t *)layer_text, strlen(layer_text), NULL, &layer, &err))
        goto done;
    if (ocireg_descriptor_set_media_type(layer, OCIREG_MEDIA_TYPE_IMAGE_LAYER, &err))
        goto done;
    if (ocireg_manifest_add_layer(manifest, layer, &err))
        goto done;

    /* Finally, upload the manifest file. */
    if (ocireg_repository_upload_manifest(repository, manifest, &tag, 1, NULL, &uploaded, &err))
        goto done;

    printf("%s\n", ocireg_descriptor_digest(uploaded));
    if (endpoint == NULL) {
        fprintf(stderr, "Written to ./sample-artifact-layout. To look at it:\n");
        fprintf(stderr, "  umoci ls --layout ./sample-artifact-layout\n");
        fprintf(stderr, "  skopeo inspect --raw oci:./sample-artifact-layout:demo\n");
    }
    result = EXIT_SUCCESS;

done:
    if (result != EXIT_SUCCESS)
        fprintf(stderr, "%s\n", ocireg_error_message(err));
    ocireg_error_free(err);
    ocireg_descriptor_free(uploaded);
    ocireg_descriptor_free(layer);
    ocireg_manifest_free(manifest);
    ocireg_descriptor_free(config);
    ocireg_repository_free(repository);
    ocireg_client_free(client);
    return result;
}
