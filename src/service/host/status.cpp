#include "service/host/status.hpp"

#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "log/log.hpp"
#include "service/books/stat_report.hpp"

namespace headrace::service::host {

namespace {
constexpr std::size_t trainers_told = 32;  // one by one in the log
}  // namespace

void tell_status(const config::Config& config, const Seat& seat, const FrontDesk& desk, Views* views,
                 const std::function<void(const nlohmann::json& part)>& tell) {
  const auto& last_node = seat.nodes.back();
  const nlohmann::json who{{"name", config.name},
                           {"host", seat.here().host},
                           {"pid", getpid()},
                           {"nodes", seat.nodes.size()},
                           {"stagers", last_node.first + last_node.stagers}};
  if (views == nullptr) {
    auto message = who;
    message.update(
        {{"type", "viewed"}, {"loading", {{"what", desk.progress().what}, {"fraction", desk.progress().fraction}}}});
    return tell(message);
  }
  views->of_service([tell, who](const Views::Seen& seen) {
    auto part = std::visit([](const auto& message) { return books::document(message); }, seen);
    if (std::holds_alternative<books::Viewed>(seen)) part.update(who);
    tell(part);
  });
}

void log_status(const config::Config& config, const Seat& seat, const FrontDesk& desk, Views* views, EventLog& events) {
  const auto take = [&events, collected = std::make_shared<books::Collected>()](const nlohmann::json& part) {
    const auto whole = collected->take(part);
    if (!whole) return;
    const auto document = books::summary(*whole);
    events.tell("state", {{"stat", document}});
    std::istringstream lines(books::stat_text(document, trainers_told));
    for (std::string line; std::getline(lines, line);) log::say("{}", line);
  };
  tell_status(config, seat, desk, views, take);
}

}  // namespace headrace::service::host
