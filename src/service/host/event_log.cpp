#include "service/host/event_log.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/user_file.hpp"
#include "ipc/own_files.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

EventLog::EventLog(const std::string& path, std::string service) : service_(std::move(service)), path_(path) {
  if (path.empty()) return;
  // Appended, and each line by one call: several services, or a restarted one, may share a file.
  file_ = ipc::open_to_append(path, "log = " + path);
}

void EventLog::tell(const char* event, nlohmann::json facts) {
  const Lock lock(mutex_);
  if (!file_) return;
  facts["time"] = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  facts["event"] = event;
  facts["service"] = service_;
  // What came of a line that found no room stays there, and must not spoil the next.
  const auto line =
      std::string(broken_ ? "\n" : "") + facts.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  auto written = ::write(file_.get(), line.data(), line.size());
  if (written >= 0 && written < static_cast<ssize_t>(line.size())) {  // the reason comes with the rest
    const auto done = static_cast<std::size_t>(written);
    const auto rest = ::write(file_.get(), line.data() + done, line.size() - done);
    written = rest < 0 ? -1 : written + rest;
    broken_ = written != static_cast<ssize_t>(line.size());
  } else if (written > 0) {
    broken_ = false;
  }
  if (written != static_cast<ssize_t>(line.size()) && !std::exchange(loss_told_, true))
    log::warn("{}", errno_text("a line of log = " + path_ + " was lost", errno));
  if (std::string_view(event) == "end") file_ = ipc::Fd();  // said once, whatever else goes wrong on the way out
}

}  // namespace headrace::service::host
