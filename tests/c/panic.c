/* A fault inside the library becomes a status, poisons the object it hit, and leaves everything else usable. */
#include <stdio.h>
#include <string.h>

#include "ocireg.h"

ocireg_status ocireg_test_panic(const ocireg_client *client, ocireg_error **err);

int main(void)
{
    ocireg_client *client = NULL, *other = NULL;
    ocireg_repository *repository = NULL;
    ocireg_error *err = NULL;
    int right = 1;

    right &= ocireg_client_new(NULL, &client, NULL) == OCIREG_OK;
    right &= ocireg_test_panic(client, &err) == OCIREG_E_PANIC;
    right &= err != NULL && strstr(ocireg_error_message(err), "a panic on purpose") != NULL;
    ocireg_error_free(err);
    right &= ocireg_client_repository(client, "oci-layout:./x", &repository, &err) == OCIREG_E_PANIC;
    ocireg_error_free(err);
    right &= repository == NULL;
    ocireg_client_free(client);
    right &= ocireg_client_new(NULL, &other, NULL) == OCIREG_OK;
    right &= ocireg_client_repository(other, "oci-layout:./x", &repository, NULL) == OCIREG_OK;
    ocireg_repository_free(repository);
    ocireg_client_free(other);
    fprintf(stderr, right ? "the panic stayed inside\n" : "the panic was not handled\n");
    return right ? 0 : 1;
}
