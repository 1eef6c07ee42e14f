#include "commands/writing/claim.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/host_name.hpp"
#include "base/printable.hpp"
#include "base/wait.hpp"
#include "formats/journal.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "mpi/patience.hpp"
#include "mpi/process_place.hpp"

namespace headrace::commands::writing {

namespace {

// Several renewals, and what a file system that is busy with other things may delay them by.
constexpr std::chrono::milliseconds usual_look{15'000};
constexpr std::chrono::milliseconds look_again_every{250}, turn_every{10};
constexpr std::size_t most_text = 4096;
constexpr int most_attempts = 20;

std::string claim_of(const std::string& output) {
  return formats::part_of(output) + ".by";
}

/// The file as one look finds it.
struct Look {
  struct stat info {};
  std::string text;

  bool same_time(const Look& other) const {
    return info.st_mtim.tv_sec == other.info.st_mtim.tv_sec && info.st_mtim.tv_nsec == other.info.st_mtim.tv_nsec;
  }
  bool same_file(const Look& other) const {
    return info.st_ino == other.info.st_ino && info.st_dev == other.info.st_dev && text == other.text;
  }
};

/// Nothing where there is no such file; Error where it cannot be read. Opened each time: file systems of the network ask
/// the server then.
std::optional<Look> look_at(const std::string& path) {
  const ipc::Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  Look look;
  if (!file && (errno == EACCES || errno == EPERM))
    throw Error(errno_text("cannot read " + path, errno) + "; it says who writes the output: remove it if nobody does");
  if (!file || fstat(file.get(), &look.info) != 0 || !S_ISREG(look.info.st_mode)) return std::nullopt;
  look.text.resize(most_text);
  const auto got = ::pread(file.get(), look.text.data(), look.text.size(), 0);
  look.text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return look;
}

/// Who made it, as it says itself; others may have written what they like.
struct Holder {
  std::string host, since, place, start;
  pid_t pid = 0;

  explicit Holder(const std::string& text) {
    const auto told = nlohmann::json::parse(text, nullptr, false);
    const auto word = [&](const char* key) {
      constexpr std::size_t longest = 200;
      return told.is_object() && told.contains(key) && told[key].is_string()
                 ? printable(told[key].get<std::string>().substr(0, longest))
                 : std::string();
    };
    host = word("host"), since = word("since"), place = word("place"), start = word("start");
    if (told.is_object() && told.contains("pid") && told["pid"].is_number_integer()) pid = told["pid"].get<pid_t>();
  }
  std::string text() const {
    if (pid <= 0) return "a process that does not say who it is";
    return fmt::format("process {} on {}, since {}", pid, host, since);
  }
  bool is_here() const { return pid > 0 && !place.empty() && place == mpi::process_place(); }
  bool is_this() const { return is_here() && pid == getpid() && start == mpi::process_start_ticks(pid); }
};

enum class Life { gone, lives, unknown };

Life life_of(const Holder& holder) {
  if (!holder.is_here()) return Life::unknown;
  const auto start = mpi::process_start_ticks(holder.pid);
  if (!start.empty()) return start == holder.start ? Life::lives : Life::gone;
  // Nothing to be seen of it: it has ended, or /proc hides processes of other users.
  return kill(holder.pid, 0) != 0 && errno == EPERM ? Life::unknown : Life::gone;
}

[[noreturn]] void tell_of_writer(const std::string& output, const std::string& who) {
  throw UsageError(
      fmt::format("'{}' is being written by another run ({}); wait for its end, or name another", output, who));
}

/// Whether nobody is at it: /proc says so, or its time has stood still.
void require_gone(const std::string& output, const Look& first, std::chrono::milliseconds limit) {
  const Holder holder(first.text);
  const auto life = life_of(holder);
  if (life == Life::lives) tell_of_writer(output, holder.text());
  if (life == Life::gone) return;
  const auto begin = Clock::now();
  log::info("'{}' is being written, or was, by another run ({}): looking for {:.3g} s whether it still is", output,
            holder.text(), std::chrono::duration<double>(limit).count());
  while (Clock::now() - begin < limit) {
    std::this_thread::sleep_for(std::min(look_again_every, limit));
    const auto now = look_at(claim_of(output));
    if (!now) return;  // it has just ended
    if (!now->same_file(first) || !now->same_time(first))
      tell_of_writer(output, Holder(now->text).text() + "; it gave a sign of life while this run looked");
  }
  log::info("looked for {:.3g} s: nobody writes '{}' any more", seconds_since(begin), output);
}

/// Of a process that is gone, unless it has changed since. One run at a time does that, so that nobody's new one goes
/// with it; one that is killed at it holds up the others for no longer than a look.
void take_away(const std::string& output, const Look& gone, std::chrono::milliseconds limit) {
  const auto path = claim_of(output), turn = path + ".turn";
  if (!ipc::Fd(::open(turn.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644))) {
    require(errno == EEXIST,
            fmt::format("'{}' cannot be written ({})", output, errno_text("cannot make " + turn, errno)));
    const auto others = look_at(turn);
    for (const auto begin = Clock::now(); others && Clock::now() - begin < limit;) {
      std::this_thread::sleep_for(turn_every);
      if (const auto now = look_at(turn); !now || !now->same_time(*others)) return;
    }
    if (others) ::unlink(turn.c_str());
    return;
  }
  const auto now = look_at(path);
  const bool removed = !now || !now->same_file(gone) || !now->same_time(gone) || ::unlink(path.c_str()) == 0;
  const int error = errno;
  ::unlink(turn.c_str());
  require(removed || error == ENOENT,
          errno_text("cannot remove " + path, error) + "; it is of a run that is gone: have it removed");
}

std::string text_of_this_process() {
  return nlohmann::json{{"host", host_name()},
                        {"pid", getpid()},
                        {"since", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time(nullptr)))},
                        {"place", mpi::process_place()},
                        {"start", mpi::process_start_ticks(getpid())}}
             .dump(1, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

}  // namespace

Claim::Claim(const std::string& output, Setup setup)
    : output_(output), path_(claim_of(output)), setup_(std::move(setup)) {}

void Claim::take() {
  for (int attempt = 0; !make(); ++attempt) {
    const auto there = look_at(path_);
    struct stat unseen {};
    if (!there && lstat(path_.c_str(), &unseen) == 0 && !S_ISREG(unseen.st_mode))
      throw UsageError(fmt::format("'{}' is in the way (it is no file); move it away", path_));
    if (attempt == most_attempts) tell_of_writer(output_, "others begin, too, or end just now");
    if (!there) continue;  // it has just ended
    require_gone(output_, *there, setup_.look);
    take_away(output_, *there, setup_.look);
  }
  try {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "claim");
      renew_until_end();
    });
  } catch (...) {
    release();
    throw;
  }
}

Claim::~Claim() {
  {
    const Lock lock(mutex_);
    end_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  release();
}

bool Claim::make() {
  Lock lock(file_mutex_);
  require(!released_, "this run ends");
  file_ = ipc::Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file_ && errno == EEXIST) return false;
  require(static_cast<bool>(file_), fmt::format("'{}' cannot be written ({}); name another folder", output_,
                                                errno_text("cannot make " + path_, errno)));
  const auto text = text_of_this_process();
  // At once on the disk, where others see it.
  const bool written = ::write(file_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                     (fsync(file_.get()) == 0 || errno == EINVAL);
  struct stat made {};
  counts_names_ = fstat(file_.get(), &made) == 0 && made.st_nlink > 0;
  if (written) return true;
  const auto why = errno_text("cannot write " + path_, errno);
  lock.unlock();
  release();
  throw Error(why + "; see that there is room");
}

void Claim::release() noexcept {
  if (released_.exchange(true)) return;
  const Lock lock(file_mutex_);
  struct stat mine {}, there {};
  const bool same = fstat(file_.get(), &mine) == 0 && lstat(path_.c_str(), &there) == 0 &&
                    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
  if (same) ::unlink(path_.c_str());
}

/// Somebody has removed it.
bool Claim::is_lost() const {
  struct stat mine {};
  if (futimens(file_.get(), nullptr) != 0 && errno == ESTALE) return true;
  return fstat(file_.get(), &mine) != 0 ? errno == ESTALE : (counts_names_ && mine.st_nlink == 0);
}

void Claim::renew_until_end() {
  for (Lock lock(mutex_); !end_;) {
    wake_.wait_for(lock, setup_.renew);
    if (end_ || released_) return;
    lock.unlock();  // a file system may let it wait for long
    const bool lost = is_lost() && !released_;
    lock.lock();
    if (!lost || end_) continue;
    lock.unlock();
    return setup_.lost(
        fmt::format("{} is gone: another run has taken '{}' over (as this one stood still, and was taken for gone), "
                    "or somebody removed it; see whether another run writes it, else go on with --resume",
                    path_, output_));
  }
}

std::shared_ptr<Claim> claim_output(const mpi::Comm& all, const std::string& output, Interrupts& interrupts) {
  return mpi::together(all, [&] {
    std::shared_ptr<Claim> claim;
    if (all.rank() != 0) return claim;
    claim = std::make_shared<Claim>(output, Claim::Setup{.look = wait_of("HEADRACE_WAIT_WRITER", usual_look),
                                                         .lost = mpi::give_up_beside_mpi});
    interrupts.when_it_ends([claim] { claim->release(); });  // first: a signal may come as soon as it is there
    claim->take();
    return claim;
  });
}

bool may_be_written(const std::string& output) {
  const auto there = look_at(claim_of(output));
  if (!there) return false;
  const Holder holder(there->text);
  return !holder.is_this() && life_of(holder) != Life::gone;
}

std::string text_of_begun(const std::string& output, const std::string& shown) {
  const auto left =
      fmt::format("'{}' is what an earlier run left; go on with --resume, or begin anew with --force", shown);
  const auto there = look_at(claim_of(output));
  if (!there) return left;
  const Holder holder(there->text);
  const auto life = life_of(holder);
  if (holder.is_this() || life == Life::gone) return left;
  return fmt::format("'{}' is being written{} by another run ({}); wait for its end{}", output,
                     life == Life::unknown ? ", or was," : "", holder.text(),
                     life == Life::unknown
                         ? ", or, if it is gone, go on with --resume, or begin anew with --force (both look first)"
                         : ", or name another");
}

void sweep_claim(const std::string& output) try {
  const auto there = look_at(claim_of(output));
  if (there && life_of(Holder(there->text)) == Life::gone) take_away(output, *there, usual_look);
} catch (const Error&) {  // it stays where it is: nobody waits for it
}

}  // namespace headrace::commands::writing
