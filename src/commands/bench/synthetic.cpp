#include "commands/bench/synthetic.hpp"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <limits>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "mpi/agree.hpp"
#include "reader/synthetic.hpp"

namespace headrace::commands::bench {

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

SyntheticFile::SyntheticFile(const mpi::Comm& world, const std::string& text) : first_(world.rank() == 0) {
  const auto cross = text.find('x');
  if (cross == std::string::npos)
    throw UsageError("--synthetic " + text + " is not \"BYTES x SAMPLES\", as in \"69KB x 30000\"");
  row_bytes_ = parse_bytes(trimmed(text.substr(0, cross)), "--synthetic");
  rows_ = parse_bytes(trimmed(text.substr(cross + 1)), "--synthetic");
  if (rows_ == 0 || row_bytes_ == 0 || row_bytes_ > std::numeric_limits<std::int64_t>::max() / rows_)
    throw UsageError("--synthetic " + text + " is not a data set; give sizes and numbers from 1 up");
  const char* folder = getenv("TMPDIR");
  path_ = world.bcast(fmt::format("{}/headrace-bench-{}.h5", folder ? folder : "/tmp", getpid()));
}

void SyntheticFile::write(const mpi::Comm& world) const {
  mpi::together(world, [&] {
    const auto folder = std::filesystem::path(path_).parent_path();
    std::error_code unknown;  // then writing itself will tell
    const auto room = std::filesystem::space(folder, unknown);
    const auto bytes = rows_ * row_bytes_;
    require(unknown || bytes <= room.available,
            fmt::format("no room for {} of made-up data in {} ({} are free); set TMPDIR to a folder with more",
                        format_bytes(static_cast<double>(bytes)), folder.string(),
                        format_bytes(static_cast<double>(room.available))));
  });
  reader::write_synthetic(world, path_, rows_, row_bytes_);
}

SyntheticFile::~SyntheticFile() {
  if (first_) remove(path_);
}

void SyntheticFile::remove(const std::string& path) noexcept {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

}  // namespace headrace::commands::bench
