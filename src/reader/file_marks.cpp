#include "reader/file_marks.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "catalog/file_print.hpp"

namespace headrace::reader {

namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::string_view changed = "it has changed since it was examined";
constexpr std::string_view what_to_do =
    "; put back what was there, unless it was only touched, then start again and resume";

/// Whether what begins the file is what began it then; nothing is known of that where head is 0.
bool same_head(const std::string& path, std::uint64_t head) {
  try {
    return head == 0 || catalog::print_of(path).head == head;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string FileMarks::look(const std::string& path, std::uint64_t bytes, std::int64_t mtime_ns, std::uint64_t head) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return errno == ENOENT ? "it is gone: No such file or directory"
                           : fmt::format("it is out of reach: {}", std::strerror(errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size != bytes) return fmt::format("{}: {} bytes then, {} now", changed, bytes, size);
  const Mark now{status.st_ino, status.st_mtim.tv_sec * second + status.st_mtim.tv_nsec};
  const auto later = now.mtime_ns / second - mtime_ns / second;
  if (mtime_ns != 0 && std::abs(later) >= 2)
    return fmt::format("{}: its time of modification is {} s {} than then", changed, std::abs(later),
                       later > 0 ? "later" : "earlier");
  Mark before;
  {
    const Lock lock(mutex_);
    const auto [seen, first] = seen_.try_emplace(path, now);
    if (first || (seen->second.inode == now.inode && seen->second.mtime_ns / second == now.mtime_ns / second))
      return "";
    before = seen->second;
  }
  if (before.inode != now.inode && (before.mtime_ns != now.mtime_ns || !same_head(path, head)))
    return fmt::format("{}: another file of the same size stands in its place", changed);
  if (std::abs(now.mtime_ns / second - before.mtime_ns / second) >= 2)
    return fmt::format("{}: it was written to since", changed);
  return "";
}

std::string FileMarks::change_of(const catalog::FileInfo& file) {
  if (const auto why = look(file.path, file.bytes, file.mtime_ns, file.head); !why.empty())
    return why + std::string(what_to_do);
  for (const auto& source : file.sources)
    if (const auto why = look(source.path, source.bytes, source.mtime_ns, source.head); !why.empty())
      return fmt::format("of the file {}, which it is made of: {}{}", source.path, why, what_to_do);
  return "";
}

void FileMarks::require_unchanged(const catalog::FileInfo& file) {
  if (const auto why = change_of(file); !why.empty()) throw Error(fmt::format("cannot read {} ({})", file.path, why));
}

}  // namespace headrace::reader
