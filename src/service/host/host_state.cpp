// How the service is doing, for whoever asks: a tool, or a signal.
#include <unistd.h>

#include <memory>
#include <sstream>

#include "log/log.hpp"
#include "service/books/stat_report.hpp"
#include "service/host/host.hpp"

namespace headrace::service::host {

namespace {
constexpr std::size_t trainers_told = 32;  // one by one in the log
}  // namespace

void Host::view(const std::function<void(const nlohmann::json& part)>& tell) {
  const nlohmann::json who{{"name", config_.name},
                           {"host", topology_.here().host},
                           {"pid", getpid()},
                           {"nodes", topology_.nodes.size()},
                           {"stagers", topology_.stagers()}};
  if (!views_) {  // still loading: there is nothing to see elsewhere
    auto message = who;
    message.update({{"type", "viewed"}, {"loading", desk_->progress()}});
    return tell(message);
  }
  views_->of_service([tell, who](const nlohmann::json& message) {
    if (message.at("type") != "viewed") return tell(message);
    auto last = message;
    last.update(who);
    tell(last);
  });
}

void Host::show_state() {
  if (topology_.me() != 0) return;
  post([this] {
    view([this, collected = std::make_shared<books::Collected>()](const nlohmann::json& part) {
      const auto whole = collected->take(part);
      if (!whole) return;
      const auto document = books::summary(*whole);
      events_.tell("state", {{"stat", document}});
      std::istringstream lines(books::stat_text(document, trainers_told));
      for (std::string line; std::getline(lines, line);) log::say("{}", line);
    });
  });
}

}  // namespace headrace::service::host
