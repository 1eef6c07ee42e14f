// Tools at the front desk: what they ask, and how they are answered without waiting for them.
#include "base/error.hpp"
#include "log/log.hpp"
#include "service/host/front_desk.hpp"

namespace headrace::service::host {

namespace {
constexpr std::chrono::seconds patience_with_readers{60};
}  // namespace

void FrontDesk::look_at_tools(Clock::time_point now) {
  std::vector<std::uint64_t> deaf;
  for (const auto& [id, caller] : callers_) {
    if (caller.gone()) continue;
    caller.talk->renew();
    if (caller.talk->kept() > 0 && now - caller.talk->kept_since() > patience_with_readers) deaf.push_back(id);
  }
  for (const auto id : deaf) {
    log::warn("process {} asked, and has not read its answer for {} s: its connection is closed",
              callers_.at(id).talk->connection().peer().pid, patience_with_readers.count());
    drop(id);
  }
}

void FrontDesk::command(std::uint64_t id, const std::string& name) {
  if (name == "wait") {
    nlohmann::json state{{"ready", blueprint_ != nullptr && closed_.empty()}, {"what", what_}, {"fraction", fraction_}};
    if (!closed_.empty()) state["ended"] = closed_;
    say(id, state.dump());
  } else if (name == "stat") {
    auto& caller = callers_.at(id);
    caller.owed = true;
    caller.talk->pause();
    actions_.stat(id);
  } else if (name == "stop") {
    say(id, nlohmann::json{{"stopping", true}}.dump());
    if (closed_.empty()) actions_.stop("headrace stop");
  } else {
    throw Error("unknown command '" + name + "'" + did_you_mean(name, {"stat", "stop", "wait"}));
  }
}

void FrontDesk::say(std::uint64_t id, std::string text) {
  const auto& caller = callers_.at(id);
  // closed: the end of its connection will say so.
  if (caller.gone() || caller.talk->say(std::move(text)) != ipc::Courier::Said::overfull) return;
  log::warn("process {} asks, and does not read its answers: its connection is closed",
            caller.talk->connection().peer().pid);
  drop(id);
}

void FrontDesk::tell(std::uint64_t tool, const std::string& text, bool last) {
  const auto found = callers_.find(tool);
  if (found == callers_.end() || found->second.gone()) return;
  if (last) {
    found->second.owed = false;
    found->second.talk->resume();
  }
  say(tool, text);
}

}  // namespace headrace::service::host
