# gpuassay_embed_text(target FILE identifier): makes generated/embedded/<identifier>.h with
# `inline constexpr std::string_view k<identifier>` holding the file, rebuilt when the file changes.
set(GPUASSAY_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_text_script.cmake)
function(gpuassay_embed_text target file identifier)
  set(header ${PROJECT_BINARY_DIR}/generated/embedded/${identifier}.h)
  get_filename_component(source ${file} ABSOLUTE)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${source} -DHEADER=${header} -DIDENTIFIER=${identifier} -P
            ${GPUASSAY_EMBED_SCRIPT}
    DEPENDS ${source} ${GPUASSAY_EMBED_SCRIPT}
    VERBATIM)
  target_sources(${target} PRIVATE ${header})
endfunction()
