#include "inventory/hdf5_array.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/error.hpp"
#include "base/reading_note.hpp"
#include "base/user_file.hpp"
#include "catalog/examiner.hpp"
#include "h5/read.hpp"

namespace headrace::inventory {

Hdf5Arrays::Hdf5Arrays() : examiner_(std::make_unique<catalog::Examiner>()) {}
Hdf5Arrays::~Hdf5Arrays() = default;

Hdf5Arrays::Found Hdf5Arrays::find(const std::string& file, const std::string& dataset) {
  const auto path = std::filesystem::absolute(file).string();  // one is not looked for beside another
  const auto source = catalog::unpack_source(examiner_->source({.home = path, .name = path, .datasets = {dataset}}));
  if (!source.why.empty()) throw Error(source.why);
  if (source.file.datasets.empty()) throw Error(fmt::format("it has no dataset '{}'", dataset));
  const auto& found = source.file.datasets.front();
  if (!found.problem.empty()) throw Error(fmt::format("its dataset '{}' cannot be used: {}", dataset, found.problem));
  for (const auto& filter : found.filters)
    if (!filter.available)
      throw Error(fmt::format("its dataset '{}' is compressed by {}, which is not there; {}", dataset,
                              h5::text_of(filter), h5::how_to_get(filter)));
  if (h5::has_pointers(found.type))
    throw Error(fmt::format("its dataset '{}' is {}, whose size is not the same for every sample", dataset,
                            h5::text_of(found.type)));
  if (!found.parts.empty() || found.layout == h5::Layout::other)
    throw Error(fmt::format("its dataset '{}' is virtual, or kept in other files; name those", dataset));
  return {{found.type, found.dims}, found.offset};
}

void Hdf5Arrays::read(const std::string& file, const std::string& dataset, std::byte* to) const {
  const auto note = ReadingNote::of(file, dataset);
  const auto opened = h5::open_file(file);
  const auto info = h5::describe_dataset(opened, dataset);
  try {
    const h5::Reader reader(opened, dataset, 64 << 20);
    reader.read(0, info.rows(), to);
  } catch (const Error&) {
    if (!info.dims.empty() || info.stored_bytes > 0) throw;
    throw Error(fmt::format("its dataset '{}' is empty (it has no value at all); write one, or leave the sample out",
                            dataset));
  }
}

void read_bytes(const std::string& file, std::uint64_t offset, std::uint64_t bytes, std::byte* to) {
  std::string why;
  const int fd = open_file_of_user(file, why);
  if (fd < 0) throw Error(why);
  struct Close {
    int fd;
    ~Close() { ::close(fd); }
  } const close{fd};
  while (bytes > 0) {
    const auto got = ::pread(fd, to, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read");
    if (got == 0) throw Error("it ends before its data do; copy it anew");
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::uint64_t>(got);
    to += got;
  }
}

}  // namespace headrace::inventory
