#include "mpi/leftovers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>

#include "base/bytes.hpp"
#include "base/host_name.hpp"
#include "mpi/process_place.hpp"
#include "mpi/temporary_files.hpp"

namespace headrace::mpi {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark_name = "headrace.mark", place_name = "processes ";

/// Shared memory of Open MPI 4 and 5.
bool is_segment(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with("vader_segment.") || name.starts_with("sm_segment.");
}

/// Of this process and of others of its job that it has mapped.
std::set<std::string> mapped_segments() {
  std::ifstream maps("/proc/self/maps");
  std::set<std::string> paths;
  for (std::string line; std::getline(maps, line);)
    if (const auto at = line.find('/'); at != std::string::npos)
      if (const fs::path path = line.substr(at); is_segment(path)) paths.insert(path);
  return paths;
}

/// Of a mark: where its process has its number.
std::string place_on(const fs::path& mark) {
  std::ifstream lines(mark);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(place_name)) return line.substr(place_name.size());
  return "";
}

bool is_own(const fs::path& path, mode_t type) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type && info.st_uid == geteuid();
}

/// Open MPI 5: "prterun.HOST.4711.USER", of mpirun or of the daemon that acts for it on another node.
bool is_of_prte(const fs::path& job) {
  const auto name = job.filename().string();
  return name.starts_with("prte") && name.ends_with("." + std::to_string(geteuid()));
}

/// The process of mpirun; that of Open MPI 4 is in "pid.4711". Nothing for other names ("jf.123": of a daemon on another
/// node).
std::optional<pid_t> launcher_of(const fs::path& job) {
  const auto path = is_of_prte(job) ? job.stem() : job.filename();
  const auto name = path.string();
  if (!is_of_prte(job) && !name.starts_with("pid.")) return {};
  const auto* const end = name.data() + name.size();
  pid_t pid = 0;
  const auto* const number = name.data() + name.rfind('.') + 1;
  if (number == end || std::from_chars(number, end, pid).ptr != end) return {};
  return pid;
}

/// Locks the marks of a dead job, so that of several who look one removes it.
class Job {
 public:
  explicit Job(fs::path folder) : folder_(std::move(folder)) {
    std::error_code failure;
    for (fs::recursive_directory_iterator entry(folder_, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      const auto& path = entry->path();
      const bool is_mark = path.filename().string().starts_with(mark_name);
      bytes_ += size_of(path);
      if (is_mark) marks_.push_back(path);
      note_age(path, is_mark ? newest_mark_ : newest_file_);
    }
  }
  ~Job() {
    for (const int lock : locks_) close(lock);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  bool is_dead() {
    if (marks_.empty() || newest_file_ > newest_mark_ + later) return false;
    if (const auto pid = launcher_of(folder_); pid && (!is_among_us() || kill(*pid, 0) == 0 || errno != ESRCH))
      return false;
    return std::ranges::all_of(marks_, [this](const fs::path& mark) {
      const int fd = open(mark.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
      if (fd < 0) return false;
      locks_.push_back(fd);
      return flock(fd, LOCK_EX | LOCK_NB) == 0;
    });
  }

  std::string remove() {
    std::error_code failure;
    for (const auto& mark : marks_) {
      std::ifstream lines(mark);
      for (std::string line; std::getline(lines, line);) {
        const fs::path segment(line);
        if (!is_segment(segment) || !is_own(segment, S_IFREG)) continue;
        bytes_ += size_of(segment);
        fs::remove(segment, failure);
      }
    }
    fs::remove_all(folder_, failure);
    return fmt::format("removed {} that Open MPI left behind for a job of ours that was killed ({})",
                       format_bytes(static_cast<double>(bytes_)), folder_.string());
  }

 private:
  /// A job writes its files while it starts, before its processes leave their marks.
  static constexpr std::int64_t later = 2;  // s

  static void note_age(const fs::path& path, std::int64_t& newest) {
    struct stat info {};
    if (lstat(path.c_str(), &info) == 0 && !S_ISDIR(info.st_mode))
      newest = std::max<std::int64_t>(newest, info.st_mtim.tv_sec);
  }
  bool is_among_us() const {
    const auto here = process_place();
    return !here.empty() && std::ranges::all_of(marks_, [&](const fs::path& mark) { return place_on(mark) == here; });
  }
  static std::uint64_t size_of(const fs::path& path) {
    struct stat info {};
    constexpr std::uint64_t block = 512;
    return lstat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * block : 0;
  }

  fs::path folder_;
  std::vector<fs::path> marks_;
  std::vector<int> locks_;
  std::uint64_t bytes_ = 0;
  std::int64_t newest_mark_ = 0, newest_file_ = 0;  // s
};

/// Where Open MPI 4 keeps the session folders of this user and host.
fs::path top_folder() {
  if (const char* known = std::getenv("OMPI_MCA_orte_top_session_dir")) return known;
  const auto host = host_name();
  return folder_for_temporary_files() / fmt::format("ompi.{}.{}", host.substr(0, host.find('.')), geteuid());
}

std::vector<fs::path> own_folders_in(const fs::path& top) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator entry(top, failure), end; !failure && entry != end; entry.increment(failure))
    if (is_own(entry->path(), S_IFDIR)) found.push_back(entry->path());
  return found;
}

}  // namespace

// The mark has its name only once it is locked and whole: one that is not locked is that of a dead process.
void Mark::leave() noexcept try {
  const char* folder = std::getenv("OMPI_FILE_LOCATION");
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (folder == nullptr || rank == nullptr) return;
  const auto draft = fmt::format("{}/.headrace.{}.{}", folder, rank, getpid());
  lock_ = open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock_ < 0) return;
  flock(lock_, LOCK_EX | LOCK_NB);
  std::string text = fmt::format("{}{}\n", place_name, process_place());
  for (const auto& segment : mapped_segments()) text += segment + "\n";
  [[maybe_unused]] const auto written = write(lock_, text.data(), text.size());
  // Where an earlier job had the same folder, its marks are still there, or those of one in another container.
  constexpr int most_names = 16;
  for (int i = 0; i < most_names && path_.empty(); ++i) {
    const auto name = fmt::format("{}/{}.{}{}", folder, mark_name, rank, i == 0 ? "" : "." + std::to_string(i));
    if (link(draft.c_str(), name.c_str()) == 0) path_ = name;
  }
  unlink(draft.c_str());
} catch (...) {  // a mark is no more than a help
}

Mark::~Mark() {
  if (!path_.empty()) unlink(path_.c_str());
  if (lock_ >= 0) close(lock_);
}

std::vector<std::string> remove_leftovers_in(const std::string& top, const std::string& temporary) noexcept {
  std::vector<std::string> told;
  try {
    std::vector<fs::path> jobs;
    if (is_own(top, S_IFDIR)) jobs = own_folders_in(top);
    std::ranges::copy_if(own_folders_in(temporary), std::back_inserter(jobs), is_of_prte);
    for (const auto& folder : jobs)
      if (Job job(folder); job.is_dead()) told.push_back(job.remove());
  } catch (...) {  // whatever it is, the service does not need it
  }
  return told;
}

std::vector<std::string> remove_leftovers() noexcept try {
  return remove_leftovers_in(top_folder().string(), folder_for_temporary_files().string());
} catch (...) {
  return {};
}

}  // namespace headrace::mpi
