/* Visibility, and what the compiler should say when a status is ignored. */
#if defined(_WIN32) && defined(OCIREG_DLL)
#define OCIREG_API __declspec(dllimport)
#elif defined(__GNUC__)
#define OCIREG_API __attribute__((visibility("default")))
#else
#define OCIREG_API
#endif

#if defined(__GNUC__)
#define OCIREG_MUST_USE __attribute__((warn_unused_result))
#else
#define OCIREG_MUST_USE
#endif

/* A size that is not known; also ocireg_progress_total and ocireg_error_retry_after_ms when there is none. */
#define OCIREG_UNKNOWN UINT64_MAX

/* Start of every ocireg_reader: `ocireg_reader reader = OCIREG_READER_INIT;` */
#define OCIREG_READER_INIT { sizeof(ocireg_reader), NULL, NULL, NULL, UINT64_MAX }

/* Media types (image-spec, "OCI Image Media Types"), and Docker's. */
#define OCIREG_MEDIA_TYPE_DESCRIPTOR "application/vnd.oci.descriptor.v1+json"
#define OCIREG_MEDIA_TYPE_IMAGE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCIREG_MEDIA_TYPE_IMAGE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCIREG_MEDIA_TYPE_IMAGE_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCIREG_MEDIA_TYPE_IMAGE_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCIREG_MEDIA_TYPE_IMAGE_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCIREG_MEDIA_TYPE_IMAGE_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCIREG_MEDIA_TYPE_EMPTY "application/vnd.oci.empty.v1+json"
#define OCIREG_MEDIA_TYPE_LAYOUT_HEADER "application/vnd.oci.layout.header.v1+json"
#define OCIREG_MEDIA_TYPE_OCTET_STREAM "application/octet-stream"
#define OCIREG_MEDIA_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCIREG_MEDIA_TYPE_DOCKER_MANIFEST_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define OCIREG_MEDIA_TYPE_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define OCIREG_MEDIA_TYPE_DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* Keys of annotations (image-spec, "Pre-Defined Annotation Keys"). */
#define OCIREG_ANNOTATION_CREATED "org.opencontainers.image.created"
#define OCIREG_ANNOTATION_AUTHORS "org.opencontainers.image.authors"
#define OCIREG_ANNOTATION_URL "org.opencontainers.image.url"
#define OCIREG_ANNOTATION_DOCUMENTATION "org.opencontainers.image.documentation"
#define OCIREG_ANNOTATION_SOURCE "org.opencontainers.image.source"
#define OCIREG_ANNOTATION_VERSION "org.opencontainers.image.version"
#define OCIREG_ANNOTATION_REVISION "org.opencontainers.image.revision"
#define OCIREG_ANNOTATION_VENDOR "org.opencontainers.image.vendor"
#define OCIREG_ANNOTATION_LICENSES "org.opencontainers.image.licenses"
#define OCIREG_ANNOTATION_REF_NAME "org.opencontainers.image.ref.name"
#define OCIREG_ANNOTATION_TITLE "org.opencontainers.image.title"
#define OCIREG_ANNOTATION_DESCRIPTION "org.opencontainers.image.description"
#define OCIREG_ANNOTATION_BASE_DIGEST "org.opencontainers.image.base.digest"
#define OCIREG_ANNOTATION_BASE_NAME "org.opencontainers.image.base.name"
