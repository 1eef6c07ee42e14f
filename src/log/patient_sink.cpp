#include "log/patient_sink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace headrace::log {

namespace {

constexpr int look_every = 100;  // ms: for the end of the sink

bool takes(int fd, int patience) {
  pollfd look{fd, POLLOUT, 0};
  return poll(&look, 1, patience) > 0;  // also where it is broken: the write says how
}

}  // namespace

PatientSink::PatientSink(int fd, std::size_t most_kept, std::chrono::milliseconds last_wait)
    : fd_(fd), most_kept_(most_kept), last_wait_(last_wait) {
  struct stat seen {};
  if (fstat(fd, &seen) != 0) return;
  asked_first_ = S_ISSOCK(seen.st_mode);
  if (!S_ISFIFO(seen.st_mode) && isatty(fd) == 0) return;
  // A second way to the same pipe or terminal: O_NONBLOCK on the one that we were given would be seen by all who have
  // it.
  const int ours =
      open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_APPEND);
  own_ = ours >= 0;
  asked_first_ = !own_;
  if (own_) fd_ = ours;
}

PatientSink::~PatientSink() {
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    const auto until = std::chrono::steady_clock::now() + last_wait_;
    while (!kept_.empty() && std::chrono::steady_clock::now() < until) {
      takes(fd_, look_every);
      write_kept();
    }
  }
  if (waiter_.joinable()) waiter_.join();
  if (own_) close(fd_);
}

std::string PatientSink::line(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  return {text.data(), text.size()};
}

void PatientSink::sink_it_(const spdlog::details::log_msg& message) {
  keep(line(message));
  write_kept();
  if (!kept_.empty()) wait_beside();
}

void PatientSink::keep(std::string text) {
  kept_bytes_ += text.size();
  kept_.push_back(std::move(text));
  // The first is not lost once a part of it is out; nor is the newest, however long.
  for (const std::size_t first = written_ > 0 ? 1 : 0; kept_bytes_ > most_kept_ && kept_.size() > first + 1; ++lost_) {
    kept_bytes_ -= kept_[first].size();
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

void PatientSink::write_kept() {
  while (!kept_.empty()) {
    if (written_ == 0 && lost_ > 0 && !tell_what_is_lost()) return;
    written_ += write_some(kept_.front(), written_);
    if (written_ < kept_.front().size()) return;
    kept_bytes_ -= kept_.front().size();
    kept_.pop_front();
    written_ = 0;
  }
}

/// Whether any of that line could be written. If not, it is made anew the next time: there may be more to tell then.
bool PatientSink::tell_what_is_lost() {
  auto told = line({"", spdlog::level::warn, fmt::format("lines missing here: {} (nobody took them in time)", lost_)});
  written_ = write_some(told, 0);
  if (written_ == 0) return false;
  lost_ = 0;
  kept_bytes_ += told.size();
  kept_.push_front(std::move(told));
  return true;
}

/// How much of it is done with; 0 where it must wait.
std::size_t PatientSink::write_some(const std::string& text, std::size_t from) {
  if (asked_first_ && !takes(fd_, 0)) return 0;
  // A pipe or socket that takes anything takes so much without blocking.
  const auto size = asked_first_ ? std::min<std::size_t>(text.size() - from, PIPE_BUF) : text.size() - from;
  const auto done = write(fd_, text.data() + from, size);
  if (done >= 0) return static_cast<std::size_t>(done);
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : text.size() - from;
}

void PatientSink::wait_beside() {
  if (std::exchange(waits_, true)) return;
  if (waiter_.joinable()) waiter_.join();  // the one before, whose last act was to say that it waits no more
  waiter_ = std::thread([this] { write_until_nothing_is_kept(); });
}

void PatientSink::write_until_nothing_is_kept() {
  while (true) {
    takes(fd_, look_every);
    const std::unique_lock lock(mutex_);
    write_kept();
    if (kept_.empty() || ending_) {
      waits_ = false;
      return;
    }
  }
}

}  // namespace headrace::log
