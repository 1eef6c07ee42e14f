#include "catalog/same_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "base/host_name.hpp"
#include "catalog/file_print.hpp"
#include "mpi/agree.hpp"

namespace headrace::catalog {

namespace {

constexpr auto give_all_the_same = "give all nodes the same files, or copies with the same times (cp -p, rsync -t)";

/// The prints of all files; rank i of the node looks at file i, i + size, ...
std::vector<FilePrint> look(const mpi::Comm& all, const mpi::Comm& node, const std::vector<std::string>& files) {
  const auto ranks = static_cast<std::size_t>(node.size());
  const auto mine = mpi::together(all, [&] {
    std::string text;
    for (auto i = static_cast<std::size_t>(node.rank()); i < files.size(); i += ranks) {
      const auto print = print_of(files[i]);
      text.append(reinterpret_cast<const char*>(&print), sizeof print);
    }
    return text;
  });
  const auto texts = node.allgather(mine);
  std::vector<FilePrint> prints(files.size());
  for (std::size_t i = 0; i < files.size(); ++i)
    std::memcpy(&prints[i], texts[i % ranks].data() + i / ranks * sizeof(FilePrint), sizeof(FilePrint));
  return prints;
}

std::string lines_of(const std::vector<std::string>& files) {
  return fmt::format("{}\n", fmt::join(files, "\n"));
}

void require_same_names(const std::vector<std::string>& here, const std::string& theirs, const std::string& host) {
  const auto mine = lines_of(here);
  if (mine == theirs) return;
  const auto at = static_cast<std::size_t>(std::mismatch(mine.begin(), mine.end(), theirs.begin(), theirs.end()).first -
                                           mine.begin());
  const auto common = static_cast<std::size_t>(std::count(mine.begin(), mine.begin() + static_cast<long>(at), '\n'));
  const auto& first = here[std::min(common, here.size() - 1)];
  throw Error(fmt::format("other files than on {} match (from {} on: {} here, {} there); {}", host, first, here.size(),
                          std::count(theirs.begin(), theirs.end(), '\n'), give_all_the_same));
}

void require_same(const std::string& file, const FilePrint& here, const FilePrint& there, const std::string& host) {
  const auto differs = [&](std::string_view what) {
    throw Error(fmt::format("{} is not the file that {} sees ({}); {}", file, host, what, give_all_the_same));
  };
  if (here.bytes != there.bytes) differs(fmt::format("{} bytes, there {}", here.bytes, there.bytes));
  if (here.head != there.head) differs("other contents of its first 64 KiB");
  // Some file systems keep whole seconds only.
  const auto later = here.mtime_ns / 1'000'000'000 - there.mtime_ns / 1'000'000'000;
  if (later != 0) differs(fmt::format("changed {} s {}", std::abs(later), later > 0 ? "later" : "earlier"));
}

}  // namespace

void require_same_files(const mpi::Comm& all, const mpi::Comm& node, const std::vector<std::string>& files) {
  const auto host = all.bcast(host_name());
  const auto names = all.bcast(lines_of(files));
  // One rank speaks for its node; nobody compares prints of lists that differ.
  mpi::together(all, [&] {
    if (node.rank() == 0) require_same_names(files, names, host);
  });
  const auto here = look(all, node, files);
  const auto first =
      all.bcast(std::string(reinterpret_cast<const char*>(here.data()), here.size() * sizeof(FilePrint)));
  mpi::together(all, [&] {
    if (node.rank() != 0) return;
    for (std::size_t i = 0; i < files.size(); ++i) {
      FilePrint there;
      std::memcpy(&there, first.data() + i * sizeof(FilePrint), sizeof(FilePrint));
      require_same(files[i], here[i], there, host);
    }
  });
}

}  // namespace headrace::catalog
