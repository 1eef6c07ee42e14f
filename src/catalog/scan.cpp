#include <cstring>

#include "base/reading_note.hpp"
#include "catalog/catalog.hpp"
#include "catalog/conventions.hpp"
#include "catalog/examiner.hpp"
#include "catalog/file_print.hpp"
#include "catalog/serialise.hpp"
#include "catalog/with_sources.hpp"
#include "h5/describe.hpp"
#include "mpi/agree.hpp"

namespace headrace::catalog {

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

/// Jobs shared among ranks: rank i takes i, i + P, ...
std::vector<std::string> shared(const mpi::Comm& comm, std::size_t jobs,
                                const std::function<std::string(std::size_t)>& job) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const auto mine = mpi::together(comm, [&] {
    std::string text;
    for (auto i = static_cast<std::size_t>(comm.rank()); i < jobs; i += ranks) append(text, job(i));
    return text;
  });
  const auto texts = comm.allgather(mine);
  std::vector<std::size_t> at(ranks, 0);
  std::vector<std::string> results;
  for (std::size_t i = 0; i < jobs; ++i) results.push_back(take(texts[i % ranks], at[i % ranks]));
  return results;
}

}  // namespace

FileContents examine(const std::string& path, h5::Depth depth) {
  const auto note = ReadingNote::of_file(path);
  const auto file = h5::open_file(path);
  const auto print = print_of(path);
  FileContents contents{.path = path, .bytes = print.bytes, .mtime_ns = print.mtime_ns, .head = print.head};
  try {
    auto found = h5::describe_file(file, depth);
    contents.datasets = std::move(found.datasets);
    contents.groups = std::move(found.groups);
    contents.dead_links = std::move(found.dead_links);
    for (const auto& attribute : h5::root_attributes(file)) {
      contents.netcdf = contents.netcdf || attribute.name == "_NCProperties";
      if (attribute.name == "Conventions" || (attribute.name == "conventions" && contents.conventions.empty()))
        contents.conventions = conventions_text(attribute.texts);
    }
  } catch (const Error& e) {
    throw Error("cannot read " + path + " (" + e.what() + ")");
  }
  return contents;
}

Contents examine_all(const std::vector<std::string>& files, const ScanOptions& options) {
  Examiner examiner;
  Contents contents;
  for (const auto& path : files) contents.push_back(unpack(examiner.file(path)));
  contents = with_sources(std::move(contents), options, examiner, [](std::size_t jobs, const auto& job) {
    std::vector<std::string> results;
    for (std::size_t i = 0; i < jobs; ++i) results.push_back(job(i));
    return results;
  });
  require_once(contents);
  return contents;
}

Contents scan(const mpi::Comm& comm, const std::vector<std::string>& files, const ScanOptions& options) {
  const auto spread = [&](std::size_t jobs, const auto& job) { return shared(comm, jobs, job); };
  Examiner examiner;  // of this rank, where it comes to have files to look at
  Contents contents;
  for (const auto& text : spread(files.size(), [&](std::size_t i) { return examiner.file(files[i]); }))
    contents.push_back(unpack(text));
  contents = with_sources(std::move(contents), options, examiner, spread);
  mpi::together(comm, [&] { require_once(contents); });  // asks the file system, which may answer each node otherwise
  return contents;
}

}  // namespace headrace::catalog
