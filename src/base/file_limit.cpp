#include "base/file_limit.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace headrace {

namespace {
constexpr rlim_t enough = rlim_t{1} << 20;  // some systems allow a billion, and libraries close each of them in turn
rlimit before{};                            // of a process that has raised it
bool raised = false;
}  // namespace

std::uint64_t raise_file_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < std::min(limit.rlim_max, enough)) {
    const rlimit wanted{std::min(limit.rlim_max, enough), limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0 && !raised) {
      before = limit;
      raised = true;
    }
  }
  return file_limit();
}

std::uint64_t file_limit() noexcept {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

void restore_file_limit() noexcept {
  if (raised) setrlimit(RLIMIT_NOFILE, &before);
}

std::uint64_t open_files() {
  std::error_code failure;
  std::uint64_t count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", failure), end;
  for (; !failure && entry != end; entry.increment(failure)) ++count;
  return count > 0 ? count - 1 : 0;  // but for the folder itself
}

}  // namespace headrace
