#include "h5/refusal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/user_file.hpp"
#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";

/// The first bytes of a file from its superblock on, which a block of the user's may stand before; "" where there is
/// none.
std::string superblock(const std::string& path) {
  constexpr std::size_t enough = 4096, furthest = 1 << 20;
  std::string why;
  const int fd = open_file_of_user(path, why);
  std::string head(enough, '\0');
  ssize_t got = 0;
  for (std::size_t at = 0; fd >= 0 && at <= furthest; at = at == 0 ? 512 : at * 2) {
    got = ::pread(fd, head.data(), head.size(), static_cast<off_t>(at));
    if (got <= 0 || std::string_view(head).starts_with(signature)) break;
  }
  if (fd >= 0) ::close(fd);
  head.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return std::string_view(head).starts_with(signature) ? head : "";
}

/// HDF5's drivers that keep one file in several leave their names behind the superblock of the first.
bool made_by(const std::string& path, std::string_view driver) {
  return superblock(path).find(driver) != std::string::npos;
}

Refusal of_family(const std::string& pattern) {
  return {fmt::format("HDF5's family driver cut one file into the parts {}", pattern),
          fmt::format("join them with 'h5repart -family_to_sec2 {} WHOLE.h5', and name that", pattern)};
}

Refusal of_split(const std::string& stem) {
  return {fmt::format("HDF5's split driver keeps metadata in {0}-m.h5 and data in {0}-r.h5", stem),
          fmt::format("copy what h5py.File('{}', driver='split') reads into one file, and name that", stem)};
}

/// The last run of digits in the name, but that of ".h5": where it begins, and how long it is.
std::optional<std::pair<std::size_t, std::size_t>> number_in(const std::string& path) {
  const auto digit = [&](std::size_t i) { return std::isdigit(static_cast<unsigned char>(path[i])) != 0; };
  const auto name = path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1;
  auto end = path.size() - (path.ends_with(".h5") || path.ends_with(".hdf5") ? path.size() - path.rfind('.') : 0);
  while (end > name && !digit(end - 1)) --end;
  auto begin = end;
  while (begin > name && digit(begin - 1)) --begin;
  if (begin == end) return std::nullopt;
  return std::pair{begin, end - begin};
}

/// "run%05d.h5" of "run00003.h5", where run00000.h5 begins a family.
std::string family_of(const std::string& path) {
  const auto number = number_in(path);
  if (!number) return "";
  const auto [at, length] = *number;
  // Names are padded with zeros, or just grow: run9.h5, run10.h5.
  for (const auto width : {length, std::size_t{1}}) {
    const auto first = path.substr(0, at) + std::string(width, '0') + path.substr(at + length);
    const auto format = width == 1 ? std::string("%d") : fmt::format("%0{}d", width);
    if (made_by(first, "NCSAfami")) return path.substr(0, at) + format + path.substr(at + length);
  }
  return "";
}

/// "run%05d.h5" is how the driver itself is told; its first part is there.
bool is_pattern_of_family(const std::string& path) {
  const auto percent = path.find('%');
  if (percent == std::string::npos) return false;
  auto end = percent + 1;
  while (end < path.size() && std::isdigit(static_cast<unsigned char>(path[end])) != 0) ++end;
  if (end >= path.size() || path[end] != 'd' || end - percent > 4) return false;
  const auto width = end > percent + 1 ? std::stoul(path.substr(percent + 1, end - percent - 1)) : 1;
  const auto zeros = std::string(std::max<std::size_t>(1, width), '0');
  return made_by(path.substr(0, percent) + zeros + path.substr(end + 1), "NCSAfami");
}

/// "run" of run-m.h5, run-r.h5 and the like.
std::string stem_of_split(const std::string& path) {
  const auto stem =
      path.ends_with(".h5") && path.size() > 5 && path[path.size() - 5] == '-' ? path.substr(0, path.size() - 5) : path;
  for (const auto* metadata : {"-m.h5", "-s.h5"})
    if (made_by(stem + metadata, "NCSAmult")) return stem;
  return "";
}

/// Marks that a writer leaves while it has the file open, in superblocks that have them.
std::string by_writer(const std::string& path, const std::string& reason) {
  constexpr unsigned swmr = 4;
  const auto head = superblock(path);
  const bool marks = head.size() > 11 && (head[8] == 2 || head[8] == 3);
  if (reason.find("already open") == std::string::npos) return "";
  const bool is_swmr = marks && (static_cast<unsigned char>(head[11]) & swmr) != 0;
  return fmt::format(
      "cannot open {0} (it is marked as being written{1}); wait until its writer closes it, or, if nobody writes to it "
      "any more, clear the mark with 'h5clear -s {0}'",
      path, is_swmr ? ", in SWMR mode" : "");
}

std::string by_lock(const std::string& path, const std::string& reason) {
  if (reason.find("unable to lock") == std::string::npos) return "";
  const bool held = reason.find("errno = 11,") != std::string::npos;
  return fmt::format("cannot open {} ({}: {}); {}set HDF5_USE_FILE_LOCKING=FALSE to read it all the same", path,
                     held ? "another program has it locked, and may be writing it" : "it cannot be locked", reason,
                     held ? "wait until that closes it, or " : "");
}

}  // namespace

std::optional<Refusal> part_of_several(const std::string& path) {
  if (is_pattern_of_family(path)) return of_family(path);
  if (const auto pattern = family_of(path); !pattern.empty()) return of_family(pattern);
  if (const auto stem = stem_of_split(path); !stem.empty()) return of_split(stem);
  return std::nullopt;
}

std::string refusal(const std::string& path, const std::string& reason) {
  if (const auto told = by_lock(path, reason); !told.empty()) return told;
  if (const auto told = by_writer(path, reason); !told.empty()) return told;
  if (const auto several = part_of_several(path))
    return fmt::format("cannot open {} ({}); {}", path, several->why, several->remedy);
  if (const auto hint = newer_version_hint(reason); !hint.empty())
    return fmt::format("cannot open {} ({}){}", path, reason, hint);
  const bool cut = reason.find("truncated") != std::string::npos;
  return fmt::format("cannot open {} ({}{}); it is damaged or still being written", path,
                     cut ? "the file is cut short: " : "", reason);
}

}  // namespace headrace::h5
