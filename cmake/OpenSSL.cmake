# OpenSSL, linked statically: the version of scripts/openssl (docs/decisions/0024). The system's, 3.0 or newer, does as well
# when -DCP_SYSTEM_OPENSSL=ON asks for it, and where the other cannot be had.
option(CP_SYSTEM_OPENSSL "Link with the system's OpenSSL" OFF)

# A version that changes, here or in scripts/openssl, must not stay behind in the cache of an older build.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scripts/openssl)
foreach(found OPENSSL_INCLUDE_DIR OPENSSL_SSL_LIBRARY OPENSSL_CRYPTO_LIBRARY)
  unset(${found} CACHE)
endforeach()

if(NOT CP_SYSTEM_OPENSSL)
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/scripts/openssl
    OUTPUT_VARIABLE CP_OPENSSL OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE CP_OPENSSL_FAILED)
  if(CP_OPENSSL_FAILED)
    message(WARNING "scripts/openssl failed, see above; linking with the system's OpenSSL instead, which may encrypt at half the speed")
  else()
    set(OPENSSL_ROOT_DIR ${CP_OPENSSL})
    set(OPENSSL_USE_STATIC_LIBS TRUE)
  endif()
endif()
find_package(OpenSSL 3 REQUIRED)
