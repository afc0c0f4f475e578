/*
 * ocireg: the OCI registry client that you can link. Blocking, no runtime, no threads.
 *
 * A client holds settings and credentials; a repository, opened from one string, is a place that holds blobs and
 * manifests: "myregistry.azurecr.io/name", "http://localhost:5000/name" (plain HTTP only when written) or
 * "oci-layout:./directory". Blobs are uploaded first, then the manifest that lists them:
 *
 *     ocireg_client *client = NULL;
 *     ocireg_repository *repository = NULL;
 *     ocireg_descriptor *config = NULL, *layer = NULL, *uploaded = NULL;
 *     ocireg_manifest *manifest = NULL;
 *     ocireg_error *err = NULL;
 *     const char *tags[] = {"demo"};
 *
 *     if (ocireg_client_new(NULL, &client, &err) != OCIREG_OK
 *         || ocireg_client_repository(client, "myregistry.azurecr.io/sample", &repository, &err) != OCIREG_OK
 *         || ocireg_repository_upload_blob(repository, (const uint8_t *)"{}", 2, NULL, &config, &err) != OCIREG_OK
 *         || ocireg_descriptor_set_media_type(config, OCIREG_MEDIA_TYPE_IMAGE_CONFIG, &err) != OCIREG_OK
 *         || ocireg_repository_upload_blob_file(repository, "layer.tar", NULL, &layer, &err) != OCIREG_OK
 *         || ocireg_descriptor_set_media_type(layer, OCIREG_MEDIA_TYPE_IMAGE_LAYER, &err) != OCIREG_OK
 *         || ocireg_manifest_new(config, &manifest, &err) != OCIREG_OK
 *         || ocireg_manifest_add_layer(manifest, layer, &err) != OCIREG_OK
 *         || ocireg_repository_upload_manifest(repository, manifest, tags, 1, NULL, &uploaded, &err) != OCIREG_OK) {
 *         fprintf(stderr, "%s\n", ocireg_error_message(err));
 *     } else {
 *         puts(ocireg_descriptor_digest(uploaded));
 *     }
 *     ocireg_error_free(err);            (every _free takes NULL)
 *     ocireg_descriptor_free(uploaded);
 *     ocireg_manifest_free(manifest);
 *     ocireg_descriptor_free(layer);
 *     ocireg_descriptor_free(config);
 *     ocireg_repository_free(repository);
 *     ocireg_client_free(client);
 *
 * Errors. What can fail returns an ocireg_status, OCIREG_OK (0) or one of OCIREG_E_..., and takes `err` last. `err`
 *   may be NULL. Otherwise *err is always written: NULL on success, else an error that says what was being done, to
 *   what, what the registry answered and whether trying again can help; free it with ocireg_error_free. On failure
 *   every output is NULL, 0 or false, and there is nothing to free but the error. New statuses may be added.
 *
 * Ownership. Everything that a _new, _clone, _from_... or an output parameter gives is the caller's, to be freed with
 *   the _free of its type and nothing else. A _free takes NULL, and may be called in any order: nothing needs its
 *   parent to live. Inputs are copied or used during the call only; no function takes an object over. A `const char *`
 *   that a function returns is borrowed: it is NUL-terminated UTF-8 and lives as long as the object it was asked of
 *   (of an object with setters: until that is changed or freed). Accessors and _free take NULL and then give NULL,
 *   "", 0 or false, as each says.
 *
 * Text. In: NUL-terminated UTF-8. Paths on Unix: any bytes. Where bytes are given as pointer and length, (NULL, 0) is
 *   the empty input. A NUL that an answer holds inside a text is given as U+FFFD.
 *
 * Threads. The library creates none, installs no signal handler, prints nothing and keeps no state outside its
 *   objects. Clients and repositories may be used from several threads at once. Errors, bytes and references never
 *   change and may be read from several threads. Everything with setters (options, descriptors, manifests, indexes,
 *   hashers) may be read from several threads, and be changed by one while no other uses it; a collision is
 *   OCIREG_E_BUSY, not corruption. Freeing an object that another thread is using is an error of the program.
 *
 * Callbacks run on the calling thread, during the call only. They return 0 to go on; anything else ends the call with
 *   OCIREG_E_ABORTED and is found again with ocireg_error_callback_result. They may call any function of this library,
 *   but must not free the repository that called them, and must not unwind: no C++ exception, no longjmp.
 *
 * A fault inside the library never crosses into the program: it becomes OCIREG_E_PANIC, and so does every later call
 *   on the same client, repository or changed object, which can only be freed. Only then is something written to
 *   standard error: one line, by Rust's runtime.
 */
