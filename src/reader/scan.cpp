#include <cstring>

#include "mpi/agree.hpp"
#include "reader/catalog.hpp"
#include "reader/file_print.hpp"
#include "reader/serialise.hpp"

namespace headrace::reader {

namespace {

// Several descriptions as one text: each after its length.
void append(std::string& text, const std::string& part) {
  const std::uint64_t length = part.size();
  text.append(reinterpret_cast<const char*>(&length), sizeof length);
  text += part;
}

std::string take(const std::string& text, std::size_t& at) {
  std::uint64_t length = 0;
  std::memcpy(&length, text.data() + at, sizeof length);
  auto part = text.substr(at + sizeof length, length);
  at += sizeof length + length;
  return part;
}

}  // namespace

FileContents examine(const std::string& path) {
  const auto file = h5::open_file(path);
  const auto print = print_of(path);
  FileContents contents{path, print.bytes, print.mtime_ns, print.head, {}, false, false};
  try {
    contents.datasets = h5::describe_datasets(file);
    for (const auto& attribute : h5::root_attributes(file)) {
      contents.netcdf = contents.netcdf || attribute.name == "_NCProperties";
      if (attribute.name == "PYTABLES_FORMAT_VERSION")
        for (auto& dataset : contents.datasets) h5::as_pytables_writes_times(dataset.type);
      if (attribute.name == "Conventions")
        contents.conventions = !attribute.texts.empty() && attribute.texts[0].starts_with("CF");
    }
  } catch (const Error& e) {
    throw Error("cannot read " + path + " (" + e.what() + ")");
  }
  return contents;
}

Contents scan(const mpi::Comm& comm, const std::vector<std::string>& files) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const auto mine = mpi::together(comm, [&] {
    std::string text;
    for (auto i = static_cast<std::size_t>(comm.rank()); i < files.size(); i += ranks)
      append(text, pack(examine(files[i])));
    return text;
  });
  const auto texts = comm.allgather(mine);
  std::vector<std::size_t> at(ranks, 0);
  Contents contents;
  for (std::size_t i = 0; i < files.size(); ++i) contents.push_back(unpack(take(texts[i % ranks], at[i % ranks])));
  return contents;
}

}  // namespace headrace::reader
