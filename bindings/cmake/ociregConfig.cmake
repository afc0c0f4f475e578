# find_package(ocireg) gives the targets ocireg::ocireg (shared) and ocireg::static, with the include directories of C
# and C++: from a tree in which Cargo has built the library,
#
#   cargo build --release --features capi
#   cmake -Docireg_DIR=PATH/bindings/cmake ...
#
# or from a prefix with both headers in PREFIX/include, the libraries in PREFIX/lib, and these files in
# PREFIX/lib/cmake/ocireg:
#
#   cmake -DCMAKE_PREFIX_PATH=PREFIX ...
#
# OCIREG_LIBRARY_DIR says where the libraries are, if not there or in target/release.

if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/../cpp/ocireg.hpp")
    get_filename_component(_ocireg_root "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
    set(_ocireg_include "${_ocireg_root}/include;${_ocireg_root}/bindings/cpp")
    set(_ocireg_library "${_ocireg_root}/target/release")
else()
    get_filename_component(_ocireg_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
    set(_ocireg_include "${_ocireg_root}/include")
    get_filename_component(_ocireg_library "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
endif()
set(OCIREG_LIBRARY_DIR "${_ocireg_library}" CACHE PATH "Where libocireg.so and libocireg.a are")

if(NOT TARGET ocireg::ocireg AND NOT TARGET ocireg::static)
    if(EXISTS "${OCIREG_LIBRARY_DIR}/libocireg.so")
        add_library(ocireg::ocireg SHARED IMPORTED)
        set_target_properties(ocireg::ocireg PROPERTIES
            IMPORTED_LOCATION "${OCIREG_LIBRARY_DIR}/libocireg.so"
            # Cargo gives the library no SONAME: without this, its path would be written into the program.
            IMPORTED_NO_SONAME TRUE
            INTERFACE_INCLUDE_DIRECTORIES "${_ocireg_include}")
    endif()

    if(EXISTS "${OCIREG_LIBRARY_DIR}/libocireg.a")
        add_library(ocireg::static STATIC IMPORTED)
        set_target_properties(ocireg::static PROPERTIES
            IMPORTED_LOCATION "${OCIREG_LIBRARY_DIR}/libocireg.a"
            # tests/c/run compares this list with what the compiler says.
            INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl;c"
            INTERFACE_INCLUDE_DIRECTORIES "${_ocireg_include}")
    endif()
endif()

if(NOT TARGET ocireg::ocireg AND NOT TARGET ocireg::static)
    set(ocireg_FOUND FALSE)
    set(ocireg_NOT_FOUND_MESSAGE "No libocireg in ${OCIREG_LIBRARY_DIR}: run cargo build --release --features capi")
endif()
unset(_ocireg_root)
unset(_ocireg_include)
unset(_ocireg_library)
