#include "service/host/coordinator.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "log/log.hpp"
#include "service/books/messages.hpp"

namespace headrace::service::host {

namespace {

std::vector<std::string> names_of(const std::vector<blueprint::StreamFacts>& streams) {
  std::vector<std::string> names;
  for (const auto& stream : streams) names.push_back(stream.name);
  return names;
}

}  // namespace

Coordinator::Coordinator(const config::Config& config, const blueprint::Blueprint& blueprint,
                         const std::vector<job::Node>& nodes, std::vector<std::uint64_t> stream_hashes,
                         EventLog& events, Send send)
    : config_(config),
      blueprint_(blueprint),
      nodes_(nodes),
      events_(events),
      send_(std::move(send)),
      registry_(blueprint.streams),
      book_(blueprint, config.seed, std::move(stream_hashes), static_cast<std::uint32_t>(nodes.size())),
      news_(names_of(blueprint.streams)),
      last_call_(job::stager_names(nodes), books::end_limit(config)) {}

void Coordinator::handle(const nlohmann::json& message) {
  const auto type = message.at("type").get<std::string>();
  if (type == "claim") return claim(message);
  if (type == "epoch") return epoch(message);
  if (type == "agree") return agree(message);
  if (type == "stop") return end(message.at("reason"));
  if (type == "left") {
    events_.tell("went", {{"stream", blueprint_.streams.at(message.at("stream").get<std::uint32_t>()).name},
                          {"rank", message.at("rank")},
                          {"goodbye", message.at("goodbye")}});
    registry_.left(message.at("stream"), message.at("rank"), message.at("generation"),
                   books::Ledger::from_json(message.at("ledger")), message.at("goodbye"));
    return consider_end();
  }
  if (type == "finished") {
    registry_.finished(message.at("stream"), message.at("rank"), message.at("generation"));
    return consider_end();
  }
  if (type == "left_out") {
    tell(book_.answer(books::LeftOut::from_json(message), message.at("hash")));
    last_call_.came(nodes_.at(message.at("node").get<std::uint32_t>()).first);
    return consider_exit();
  }
  if (type == "ending") return last_call_.alive(message.at("stager"));
  if (type == "drained") {
    last_call_.came(message.at("stager"));
    consider_exit();
  }
}

void Coordinator::consider_exit() {
  if (!last_call_.complete() || std::exchange(exit_sent_, true)) return;
  send_all({{"type", "exit"}});
}

// To this node last: with the word of the end it may be over here.
void Coordinator::send_all(const nlohmann::json& message) const {
  for (auto node = static_cast<std::uint32_t>(nodes_.size()); node-- > 0;) send_(node, message);
}

void Coordinator::claim(const nlohmann::json& message) {
  const std::uint32_t node = message.at("node");
  try {
    require(reason_.empty(), "the service is ending (" + reason_ + "); start it again");
    const auto grant = registry_.claim(
        {message.at("stream"), message.at("rank"), message.at("world_size"), message.at("who"), message.at("no_room")});
    all_gone_since_.reset();
    events_.tell("came", {{"stream", blueprint_.streams.at(message.at("stream").get<std::uint32_t>()).name},
                          {"rank", message.at("rank")},
                          {"world_size", message.at("world_size")},
                          {"who", message.at("who")}});
    auto resumed = nlohmann::json::array();
    for (const auto& state : grant.resumed) resumed.push_back(books::to_message(state));
    send_(node, {{"type", "grant"},
                 {"id", message.at("id")},
                 {"generation", grant.generation},
                 {"session", grant.session},
                 {"ledger", grant.ledger.to_json()},
                 {"loads", grant.loads},
                 {"resumed", std::move(resumed)}});
  } catch (const books::Taken& error) {
    send_(node, {{"type", "refuse"}, {"id", message.at("id")}, {"text", error.what()}, {"taken", true}});
  } catch (const Error& error) {
    send_(node, {{"type", "refuse"}, {"id", message.at("id")}, {"text", error.what()}, {"taken", false}});
  }
}

void Coordinator::agree(const nlohmann::json& message) {
  auto answer = message;
  answer["type"] = "agreed";
  const std::uint32_t stream = message.at("stream");
  const auto before = registry_.newest_state(stream);
  answer["refusal"] =
      registry_.agree(stream, message.at("rank"), message.at("generation"), {message.at("epoch"), message.at("step")});
  send_(message.at("node"), answer);
  const auto newest = registry_.newest_state(stream);
  if (!newest || (before && before->number == newest->number)) return;
  auto news = books::to_message(*newest);
  news["type"] = "resumed";
  news["stream"] = stream;
  send_all(news);
}

void Coordinator::epoch(const nlohmann::json& message) {
  const auto report = books::trainer_epoch_from(message);
  if (report.session != registry_.session(report.stream)) return;
  tell(book_.add(report));
  if (const auto question = book_.question()) {
    auto ask = question->to_json();
    ask["type"] = "ask_left_out";
    for (const auto& node : nodes_) last_call_.expect(node.first);
    send_all(ask);
  }
}

void Coordinator::tell(const std::optional<books::Verdict>& verdict) {
  if (verdict) tell(news_.add(*verdict, Clock::now()));
}

void Coordinator::tell(const std::vector<books::News>& news) const {
  for (const auto& item : news) {
    const auto& verdict = item.verdict;
    nlohmann::json facts{{"stream", blueprint_.streams[verdict.stream].name},
                         {"samples", verdict.samples},
                         {"bytes", verdict.bytes},
                         {"seconds", verdict.seconds},
                         {"exactly_once", verdict.exactly_once}};
    if (item.epochs == 1)
      facts.update({{"epoch", item.first},
                    {"slowest", verdict.slowest},
                    {"trainer_wait", verdict.trainer_wait},
                    {"stager_wait", verdict.stager_wait}});
    else
      facts.update({{"epochs", item.epochs}, {"first", item.first}, {"last", item.last}, {"failed", item.failed}});
    events_.tell(item.epochs == 1 ? "epoch" : "epochs", std::move(facts));
    if (item.failed == 0)
      log::info("{}", item.text);
    else
      log::error("{}", item.text);
  }
}

void Coordinator::consider_end() {
  if (!reason_.empty()) return;
  if (registry_.all_consumed()) return end("all epochs are consumed");
  if (!registry_.all_said_goodbye())
    all_gone_since_.reset();
  else if (!all_gone_since_)
    all_gone_since_ = Clock::now();
}

void Coordinator::tick(Clock::time_point now) {
  if (const auto text = exit_sent_ ? std::nullopt : last_call_.tick(now)) log::warn("{}", *text);
  tell(news_.tick(now));
  if (!all_gone_since_ || config_.stay) return;
  const double gone = std::chrono::duration<double>(now - *all_gone_since_).count();
  if (gone >= config_.linger)
    end(fmt::format("every trainer has said goodbye, and none came back for {:g} s", config_.linger));
}

void Coordinator::end(const std::string& reason) {
  if (!reason_.empty()) return;
  reason_ = reason;
  last_call_.begin(Clock::now());
  send_all({{"type", "end"}, {"reason", reason}});
}

std::vector<std::string> Coordinator::summary() const {
  const double seconds = seconds_since(begin_);
  std::vector<std::string> lines{fmt::format("ended: {}", reason_)};
  for (std::uint32_t s = 0; s < blueprint_.streams.size(); ++s) {
    const auto& [epochs, failed, samples, bytes] = book_.totals(s);
    lines.push_back(fmt::format("{}: {} epoch{} complete, {} samples, {} in {:.1f} s; audit: {}",
                                blueprint_.streams[s].name, epochs, epochs == 1 ? "" : "s", samples,
                                format_bytes(static_cast<double>(bytes)), seconds,
                                epochs == 0   ? "nothing to check"
                                : failed == 0 ? "every sample exactly once"
                                              : fmt::format("FAILED in {} of them", failed)));
  }
  for (auto& line : book_.unfinished()) lines.push_back(std::move(line));
  return lines;
}

nlohmann::json Coordinator::stat() const {
  auto streams = nlohmann::json::array();
  for (std::uint32_t s = 0; s < blueprint_.streams.size(); ++s) {
    const auto& totals = book_.totals(s);
    streams.push_back({{"name", blueprint_.streams[s].name},
                       {"samples", blueprint_.streams[s].samples},
                       {"world_size", registry_.world_size(s)},
                       {"epochs_complete", totals.epochs},
                       {"samples_delivered", totals.samples},
                       {"exactly_once", totals.failed == 0}});
  }
  return {{"trainers", registry_.alive()}, {"streams", std::move(streams)}, {"ending", reason_}};
}

}  // namespace headrace::service::host
