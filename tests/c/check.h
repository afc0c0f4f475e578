/* What every C test uses: checks that are counted and go on, and the text of an error that was not expected. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ocireg.h"

static int failures = 0;

/* Marks that are used by some programs only. */
#if defined(__GNUC__)
#define MAYBE_UNUSED __attribute__((unused))
#else
#define MAYBE_UNUSED
#endif

#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_CONTAINS(actual, part) check_contains((actual), (part), #actual, __FILE__, __LINE__)

/* The call succeeds, and clears its error. The call must use a variable `err`. */
#define CHECK_OK(call) check_status((call), OCIREG_OK, &err, NULL, #call, __FILE__, __LINE__)

/* The call fails with this status, and with a message that has `part` in it; the error is freed. */
#define CHECK_FAILS(call, status, part) check_status((call), (status), &err, (part), #call, __FILE__, __LINE__)

MAYBE_UNUSED static int check_that(int holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
        failures++;
    }
    return holds;
}

MAYBE_UNUSED static void check_text(const char *actual, const char *expected, const char *what, const char *file, int line)
{
    if (actual == NULL || expected == NULL ? actual != expected : strcmp(actual, expected) != 0) {
        fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what, actual ? actual : "(NULL)",
                expected ? expected : "(NULL)");
        failures++;
    }
}

MAYBE_UNUSED static void check_contains(const char *actual, const char *part, const char *what, const char *file, int line)
{
    if (actual == NULL || strstr(actual, part) == NULL) {
        fprintf(stderr, "%s:%d: %s is \"%s\", without \"%s\"\n", file, line, what, actual ? actual : "(NULL)", part);
        failures++;
    }
}

MAYBE_UNUSED static void check_status(ocireg_status status, ocireg_status expected, ocireg_error **err, const char *part,
                                      const char *what, const char *file, int line)
{
    if (status != expected) {
        fprintf(stderr, "%s:%d: %s gives %s (%s), not %s\n", file, line, what, ocireg_status_name(status),
                ocireg_error_message(*err), ocireg_status_name(expected));
        failures++;
    }
    check_that((*err == NULL) == (status == OCIREG_OK), "an error exactly when the status says so", file, line);
    check_that(ocireg_error_status(*err) == status, "the status of the error is the status returned", file, line);
    if (part != NULL)
        check_contains(ocireg_error_message(*err), part, what, file, line);
    ocireg_error_free(*err);
    *err = NULL;
}

/* A temporary directory of the run script, and a name in it; the result lives until the next call but three. */
MAYBE_UNUSED static const char *in_temp(const char *prefix, const char *name)
{
    static char buffers[4][1024];
    static int next = 0;
    const char *directory = getenv("OCIREG_C_TEMP");
    char *buffer = buffers[next = (next + 1) % 4];
    if (directory == NULL) {
        fprintf(stderr, "run this through tests/c/run\n");
        exit(2);
    }
    snprintf(buffer, sizeof buffers[0], "%s%s/%s", prefix, directory, name);
    return buffer;
}

#endif
