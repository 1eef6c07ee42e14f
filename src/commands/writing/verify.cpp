#include "commands/writing/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"
#include "h5/made/written.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"

namespace headrace::commands::writing {

namespace {

bool says(const h5::WrittenFile& file, const std::string& run, std::uint64_t first_row) {
  return file.text(run_attribute) == run && file.number(first_row_attribute) == static_cast<std::int64_t>(first_row);
}

/// One part may lie in the place of another, or be of another run, and each is whole by itself. Files of older versions
/// do not tell.
void require_own_parts(const h5::WrittenFile& whole, const std::string& path, const std::vector<std::string>& parts) {
  const auto run = whole.text(run_attribute);
  if (!run) return;
  std::uint64_t first = 0;
  for (const auto& part : parts) {
    const h5::WrittenFile file(part);
    require(says(file, *run, first), fmt::format("{} is not the file that {} joins from its row {} on (it is of "
                                                 "another run, or another part); write it again",
                                                 part, path, first));
    first += file.rows();
  }
  require(first == whole.rows(), fmt::format("{} has {} rows, and the files that it joins have {}; write it again",
                                             path, whole.rows(), first));
}

/// The files that a virtual one joins, or the file itself.
std::vector<std::string> files_of(const std::string& path) {
  const h5::WrittenFile file(path);
  require(file.number("complete") == 1, fmt::format("{} is not complete; write it again", path));
  const auto parts = nlohmann::json::parse(file.text("parts").value_or("[]"), nullptr, false);
  std::vector<std::string> all;
  for (const auto& part : parts)
    all.push_back((std::filesystem::path(path).parent_path() / part.get<std::string>()).string());
  if (all.empty()) return {path};
  require_own_parts(file, path, all);
  return all;
}

/// This stager's share of the blocks of a file. Returns the bytes that were read.
std::uint64_t check_file(const std::string& path, std::uint64_t me, std::uint64_t stagers) {
  const h5::WrittenFile file(path);
  require(file.number("complete") == 1, fmt::format("{} is not complete; write it again", path));
  const auto sums = nlohmann::json::parse(file.text("checksums").value_or(""), nullptr, false);
  require(sums.is_object() && sums.contains("crc32c") && sums.value("rows", std::uint64_t{0}) > 0,
          fmt::format("{} has no checksums (premix and pack write them)", path));
  const auto block_rows = sums["rows"].get<std::uint64_t>();
  std::uint64_t bytes = 0;
  std::vector<std::byte> values;
  for (auto block = me; block < sums["crc32c"].size(); block += stagers) {
    const auto first = block * block_rows, rows = std::min(block_rows, file.rows() - std::min(first, file.rows()));
    std::uint32_t crc = 0;
    for (const auto& dataset : file.datasets()) {
      values.clear();
      file.read(dataset, first, rows, values);
      crc = crc32c(values, crc);
      bytes += values.size();
    }
    require(crc == sums["crc32c"][block].get<std::uint32_t>(),
            fmt::format("{}: rows {} to {} are not what was written (checksum {:08x}, not {:08x}); write it again",
                        path, first, first + rows - 1, crc, sums["crc32c"][block].get<std::uint32_t>()));
  }
  return bytes;
}

/// Texts are checked by one stager: they are read as a whole.
std::uint64_t check_texts(const std::string& path) {
  const h5::WrittenFile file(path);
  const auto sums = nlohmann::json::parse(file.text("checksums").value_or(""), nullptr, false);
  std::uint64_t bytes = 0;
  if (!sums.is_object() || !sums.contains("texts")) return bytes;
  for (const auto& [dataset, wanted] : sums["texts"].items()) {
    std::uint32_t crc = 0;
    file.read_texts(dataset, [&](std::string_view text) {
      crc = crc_of_text(text, crc);
      bytes += text.size();
    });
    require(crc == wanted.get<std::uint32_t>(),
            fmt::format("{}: {} is not what was written; write it again", path, dataset));
  }
  return bytes;
}

}  // namespace

std::uint32_t crc_of_text(std::string_view text, std::uint32_t before) {
  const std::byte end{0};
  return crc32c({&end, 1}, crc32c(std::as_bytes(std::span(text)), before));
}

bool is_part(const std::string& path, const std::string& run, std::uint64_t first_row) {
  try {
    const h5::WrittenFile file(path);
    return file.number("complete") == 1 && says(file, run, first_row);
  } catch (const Error&) {
    return false;
  }
}

void verify(const mpi::Comm& all, const std::string& path) {
  const auto begin = Clock::now();
  const auto me = static_cast<std::uint64_t>(all.rank()), stagers = static_cast<std::uint64_t>(all.size());
  const auto bytes = mpi::together(all, [&] {
    std::uint64_t sum = 0;
    for (const auto& file : files_of(path)) sum += check_file(file, me, stagers) + (me == 0 ? check_texts(file) : 0);
    return sum;
  });
  const auto total = all.sum(bytes);
  const auto seconds = all.max(seconds_since(begin));
  log::info("verified {}: {} read again in {:.2f} s ({}), all checksums match", path, format_bytes(total), seconds,
            format_rate(static_cast<double>(total), seconds));
}

}  // namespace headrace::commands::writing
