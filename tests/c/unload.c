/*
 * Loads the library, uses it and unloads it, many times: it must go without a trace.
 * Arguments: the library, an address.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "ocireg.h"

static int mappings(const char *library)
{
    char line[4096];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL)
        if (strstr(line, library) != NULL) count++;
    if (maps != NULL) fclose(maps);
    return count;
}

#define LOAD(name) (*(void **)&name##_ = dlsym(library, #name))

int main(int argc, char **argv)
{
    int round, used = 0;
    if (argc < 3) return 2;
    for (round = 0; round < 100; round++) {
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        ocireg_status (*ocireg_client_new_)(const ocireg_client_options *, ocireg_client **, ocireg_error **);
        ocireg_status (*ocireg_client_repository_)(const ocireg_client *, const char *, ocireg_repository **,
                                                   ocireg_error **);
        ocireg_status (*ocireg_repository_upload_blob_)(const ocireg_repository *, const uint8_t *, size_t,
                                                        const ocireg_blob_options *, ocireg_descriptor **,
                                                        ocireg_error **);
        void (*ocireg_client_free_)(ocireg_client *);
        void (*ocireg_repository_free_)(ocireg_repository *);
        void (*ocireg_descriptor_free_)(ocireg_descriptor *);
        ocireg_client *client = NULL;
        ocireg_repository *repository = NULL;
        ocireg_descriptor *blob = NULL;

        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        LOAD(ocireg_client_new);
        LOAD(ocireg_client_repository);
        LOAD(ocireg_repository_upload_blob);
        LOAD(ocireg_client_free);
        LOAD(ocireg_repository_free);
        LOAD(ocireg_descriptor_free);
        if (ocireg_client_new_(NULL, &client, NULL) == OCIREG_OK
            && ocireg_client_repository_(client, argv[2], &repository, NULL) == OCIREG_OK
            && ocireg_repository_upload_blob_(repository, (const uint8_t *)"x", 1, NULL, &blob, NULL) == OCIREG_OK)
            used++;
        ocireg_descriptor_free_(blob);
        ocireg_repository_free_(repository);
        ocireg_client_free_(client);
        dlclose(library);
    }
    fprintf(stderr, "used %d times, %d mappings left\n", used, mappings(argv[1]));
    return used == 100 && mappings(argv[1]) == 0 ? 0 : 1;
}
