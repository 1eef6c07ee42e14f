# The Python package over the trainers' library (target headrace_client).
#
# In the build tree, python/headrace holds links to the package's files and to the library, so that with
# BUILD/python on PYTHONPATH `import headrace` works with no other setting. Installed, it is a folder of its own that
# works the same way; in a wheel (scikit-build-core) it holds the library itself.
set(python_source ${CMAKE_SOURCE_DIR}/src/client/python/headrace)
file(GLOB python_files CONFIGURE_DEPENDS ${python_source}/*.py ${python_source}/py.typed)
set(python_build ${CMAKE_BINARY_DIR}/python/headrace)
file(MAKE_DIRECTORY ${python_build})
# What is right already stays untouched: somebody may be importing the package while this configures again.
function(headrace_python_link target link)
  set(there "")
  if(IS_SYMLINK ${link})
    file(READ_SYMLINK ${link} there)
  endif()
  if(NOT there STREQUAL target)
    file(CREATE_LINK ${target} ${link} SYMBOLIC)
  endif()
endfunction()
file(GLOB python_links ${python_build}/*.py)
foreach(link ${python_links})
  if(NOT EXISTS ${link})  # its file is gone
    file(REMOVE ${link})
  endif()
endforeach()
foreach(file ${python_files})
  get_filename_component(name ${file} NAME)
  headrace_python_link(${file} ${python_build}/${name})
endforeach()
headrace_python_link(../../lib/libheadrace.so ${python_build}/libheadrace.so)

if(SKBUILD)
  install(FILES $<TARGET_FILE:headrace_client> DESTINATION headrace RENAME libheadrace.so COMPONENT python)
else()
  set(HEADRACE_PYTHON_DIR ${CMAKE_INSTALL_LIBDIR}/headrace/python CACHE STRING "Where the Python package is installed")
  install(FILES ${python_files} DESTINATION ${HEADRACE_PYTHON_DIR}/headrace COMPONENT python)
  file(RELATIVE_PATH to_library /${HEADRACE_PYTHON_DIR}/headrace /${CMAKE_INSTALL_LIBDIR}/libheadrace.so)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/install_link)
  file(CREATE_LINK ${to_library} ${CMAKE_BINARY_DIR}/install_link/libheadrace.so SYMBOLIC)
  install(FILES ${CMAKE_BINARY_DIR}/install_link/libheadrace.so DESTINATION ${HEADRACE_PYTHON_DIR}/headrace COMPONENT python)
endif()
