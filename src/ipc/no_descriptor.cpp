#include "ipc/no_descriptor.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/file_limit.hpp"

namespace headrace::ipc {

void throw_no_descriptor(const std::string& call) {
  const int error = errno;
  const auto text = errno_text(call, error);
  if (error == EMFILE)
    throw NoDescriptors(text + " (ulimit -n allows process " + std::to_string(getpid()) + " " +
                        std::to_string(file_limit()) + "); raise that limit there, or have it close files");
  if (error == ENFILE) throw NoDescriptors(text + " (fs.file-max); have that limit raised, or end what holds so many");
  if (error == ENOBUFS || error == ENOMEM) throw NoDescriptors(text);
  throw Error(text);
}

}  // namespace headrace::ipc
