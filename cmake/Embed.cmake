# cp_embed(OUTPUT FOLDER SUBFOLDER...) writes a source with the text of every FOLDER/SUBFOLDER/*.yaml, in the
# order of their names, and gives its path in OUTPUT. A change of one of them configures again.
function(cp_embed output folder)
  list(TRANSFORM ARGN REPLACE "(.+)" "${folder}/\\1/*.yaml" OUTPUT_VARIABLE globs)
  file(GLOB files CONFIGURE_DEPENDS RELATIVE ${folder} ${globs})
  list(SORT files)
  set(entries "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/${file})
    file(READ ${folder}/${file} content)
    string(REGEX REPLACE "\\.yaml$" "" name ${file})
    string(APPEND entries "    {\"${name}\", R\"yaml(${content})yaml\"},\n")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded_manifests.cc)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
#include "addon/embedded.h"

namespace addon {
namespace {
constexpr EmbeddedFile kFiles[] = {
@entries@};
}  // namespace

std::span<const EmbeddedFile> embedded_manifests() { return kFiles; }

}  // namespace addon
]])
  set(${output} ${source} PARENT_SCOPE)
endfunction()
