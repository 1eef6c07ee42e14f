// try_files EXAMINE_FILES: reads names of files, a line each; does with each what the service does before and while it
// loads it, and says in one line what came of it:
//
//   ok                  described and loaded, in both ways
//   large               described; it says that it holds more than is loaded here
//   error MESSAGE       what a user would be told
//   exception WHAT      what nobody should be told
//
// If a file ends this process, the handler has said why, on standard error.
#include <mpi.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "base/crash.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "catalog/examiner.hpp"
#include "catalog/grouping.hpp"
#include "catalog/serialise.hpp"
#include "catalog/with_sources.hpp"
#include "reader/load.hpp"

using namespace headrace;
using namespace headrace::catalog;
using namespace headrace::reader;

namespace {

constexpr std::uint64_t most_loaded = 64 << 20;

/// Looks at every byte, so that one that is not there is missed.
class Look : public Sink {
 public:
  explicit Look(const Catalog& catalog) : catalog_(catalog) {}
  std::byte* place(std::size_t, std::uint64_t, std::uint64_t) override { return nullptr; }
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    const auto bytes = rows * catalog_.row_bytes_at(dataset, first);
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) sum += std::to_integer<std::uint64_t>(raw[i]);
    volatile std::uint64_t seen = sum;
    static_cast<void>(seen);
  }

 private:
  const Catalog& catalog_;
};

/// As scan(), but with one process that looks at all files.
Contents look_at(Examiner& examiner, const std::string& path) {
  const auto alone = [](std::size_t jobs, const auto& job) {
    std::vector<std::string> results;
    for (std::size_t i = 0; i < jobs; ++i) results.push_back(job(i));
    return results;
  };
  return with_sources({unpack(examiner.file(path))}, {}, examiner, alone);
}

std::string try_file(const mpi::Comm& world, Examiner& examiner, const std::string& path) {
  const auto contents = look_at(examiner, path);
  static_cast<void>(group(contents));
  const auto catalog = select(contents, {});
  if (catalog.row_bytes() > most_loaded ||
      catalog.samples > most_loaded / std::max<std::uint64_t>(1, catalog.row_bytes()))
    return "large";
  const std::vector<Interval> all{{0, catalog.samples}};
  for (const auto io : {Io::direct, Io::collective}) {
    LoadOptions options;
    options.io = io;
    options.threads = 2;
    Look sink(catalog);
    load(world, catalog, all, sink, options);
  }
  return "ok";
}

}  // namespace

int main(int argc, char** argv) {
  tell_crashes();
  MPI_Init(&argc, &argv);
  examine_by(ExaminerProgram{.path = argv[1], .processor = std::chrono::seconds(2)});
  const auto world = mpi::Comm::world();
  Examiner examiner;
  for (std::string path; std::getline(std::cin, path);) {
    std::string outcome;
    try {
      outcome = try_file(world, examiner, path);
    } catch (const Error& error) {
      outcome = std::string("error ") + error.what();
    } catch (const std::exception& exception) {
      outcome = std::string("exception ") + exception.what();
    }
    std::cout << printable(outcome) << std::endl;
  }
  MPI_Finalize();
}
