#include "service/loading/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/bytes.hpp"
#include "log/log.hpp"

namespace headrace::service::loading {

namespace {
constexpr auto tell_every = std::chrono::milliseconds(250);
constexpr auto line_every = std::chrono::seconds(5);
constexpr int bar_width = 30;

/// ", 1 h 20 min left"; nothing for what is over at once.
std::string time_left(double fraction, double seconds) {
  if (fraction <= 0 || fraction >= 1 || seconds < 1) return "";
  const auto left = static_cast<std::uint64_t>(seconds / fraction * (1 - fraction) + 0.5);
  if (left < 60) return fmt::format(", {} s left", left);
  if (left < 3600) return fmt::format(", {} min {} s left", left / 60, left % 60);
  return fmt::format(", {} h {} min left", left / 3600, left % 3600 / 60);
}
}  // namespace

Progress::Progress(bool print, std::function<void(double)> told, std::string what)
    : print_(print), terminal_(isatty(STDERR_FILENO) == 1), told_(std::move(told)), what_(std::move(what)) {}

void Progress::at(std::uint64_t done, std::uint64_t total) {
  const auto now = Clock::now();
  if (now - told_at_ < tell_every) return;
  told_at_ = now;
  const double fraction = total > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 1;
  told_(fraction);
  if (!print_) return;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  if (terminal_) {
    draw(fraction, done, seconds);
  } else if (now - line_at_ >= line_every) {
    line_at_ = now;
    log::info("{}: {:.0f} %, {}{}", what_, 100 * fraction, format_rate(static_cast<double>(done), seconds),
              time_left(fraction, seconds));
  }
}

void Progress::draw(double fraction, std::uint64_t bytes, double seconds) {
  const auto full = static_cast<std::size_t>(fraction * bar_width);
  const auto line = fmt::format("\r{} [{}{}] {:3.0f} %  {}{}\033[K", what_, std::string(full, '#'),
                                std::string(bar_width - full, ' '), 100 * fraction,
                                format_rate(static_cast<double>(bytes), seconds), time_left(fraction, seconds));
  [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
  drawn_ = true;
}

void Progress::done() {
  if (!drawn_) return;
  drawn_ = false;
  const std::string blank = "\r\033[K";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, blank.data(), blank.size());
}

void ProgressOfParts::begin(std::uint64_t part) {
  before_ += part_;
  part_ = part;
}

void ProgressOfParts::at(std::uint64_t done, std::uint64_t total) const {
  if (!tell_) return;
  const double fraction = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const auto here = static_cast<std::uint64_t>(std::min(fraction, 1.0) * static_cast<double>(part_));
  tell_(std::min(all_, before_ + here), all_);
}

}  // namespace headrace::service::loading
