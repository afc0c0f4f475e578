/*
 * Loads the library, uses it and unloads it, again and again, in one process: memory mappings, open files and threads
 * must not grow. The library's path is the first argument.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocireg.h"

#define ROUNDS 1000
#define SETTLED 20

static int count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    int lines = 0, c;
    while ((c = fgetc(file)) != EOF)
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Whether anything of the library is still in memory. */
static int is_mapped(const char *path)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char line[4096];
    int found = 0;
    while (fgets(line, sizeof line, file) != NULL)
        found |= strstr(line, path) != NULL;
    fclose(file);
    return found;
}

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s: %s\n", name, dlerror());
        exit(1);
    }
    return found;
}

static void once(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ocireg_status (*client_new)(const ocireg_client_options *, ocireg_client **, ocireg_error **);
    ocireg_status (*open)(const ocireg_client *, const char *, ocireg_repository **, ocireg_error **);
    ocireg_status (*upload)(const ocireg_repository *, const uint8_t *, size_t, const ocireg_blob_options *,
                            ocireg_descriptor **, ocireg_error **);
    void (*client_free)(ocireg_client *);
    void (*repository_free)(ocireg_repository *);
    void (*error_free)(ocireg_error *);
    ocireg_client *client = NULL;
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    *(void **)&client_new = symbol(library, "ocireg_client_new");
    *(void **)&open = symbol(library, "ocireg_client_repository");
    *(void **)&upload = symbol(library, "ocireg_repository_upload_blob");
    *(void **)&client_free = symbol(library, "ocireg_client_free");
    *(void **)&repository_free = symbol(library, "ocireg_repository_free");
    *(void **)&error_free = symbol(library, "ocireg_error_free");
    /* Nobody listens at port 1: an error with everything that belongs to one. */
    if (client_new(NULL, &client, &err) != OCIREG_OK
        || open(client, "http://127.0.0.1:1/x", &repository, &err) != OCIREG_OK
        || open(client, "not an address", &repository, NULL) != OCIREG_E_INVALID_REFERENCE
        || upload(repository, NULL, 5, NULL, NULL, &err) != OCIREG_E_INVALID_ARGUMENT) {
        fprintf(stderr, "a call went wrong\n");
        exit(1);
    }
    error_free(err);
    repository_free(repository);
    client_free(client);
    dlclose(library);
}

int main(int argc, char **argv)
{
    int round, maps = 0, files = 0, tasks = 0;
    if (argc != 2)
        return 2;
    for (round = 1; round <= ROUNDS; round++) {
        once(argv[1]);
        if (round == SETTLED) {
            maps = count_lines("/proc/self/maps");
            files = entries("/proc/self/fd");
            tasks = entries("/proc/self/task");
        }
    }
    if (is_mapped(argv[1])) {
        fprintf(stderr, "dlclose leaves the library in memory\n");
        return 1;
    }
    if (count_lines("/proc/self/maps") > maps || entries("/proc/self/fd") != files
        || entries("/proc/self/task") != tasks) {
        fprintf(stderr, "grown: %d mappings at first, %d after %d rounds\n", maps, count_lines("/proc/self/maps"),
                ROUNDS);
        return 1;
    }
    printf("reload: %d rounds, %d mappings from first to last\n", ROUNDS, maps);
    return 0;
}
