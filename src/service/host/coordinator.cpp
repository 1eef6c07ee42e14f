#include "service/host/coordinator.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

namespace {

std::vector<std::string> names_of(const std::vector<blueprint::StreamFacts>& streams) {
  std::vector<std::string> names;
  for (const auto& stream : streams) names.push_back(stream.name);
  return names;
}

}  // namespace

Coordinator::Coordinator(const config::Config& config, const blueprint::Blueprint& blueprint,
                         const std::vector<job::Node>& nodes, std::vector<std::vector<std::uint64_t>> stream_hashes,
                         const blueprint::Windowing* windowing, EventLog& events, Send send)
    : config_(config),
      blueprint_(blueprint),
      nodes_(nodes),
      events_(events),
      send_(std::move(send)),
      registry_(blueprint.streams),
      book_(blueprint, config.seed, std::move(stream_hashes), static_cast<std::uint32_t>(nodes.size())),
      draws_(nodes.back().first + nodes.back().stagers),
      last_drawn_(blueprint.streams.size()),
      news_(names_of(blueprint.streams)),
      last_call_(job::stager_names(nodes), books::end_limit(config)) {
  if (windowing != nullptr)
    windows_.emplace(blueprint_, *windowing, registry_, nodes_.back().first + nodes_.back().stagers, events_,
                     [this](const books::WindowOrder& order) { send_all(order); });
  if (blueprint_.arrival)
    arrival_.emplace(*blueprint_.arrival, nodes_.back().first + nodes_.back().stagers, events_,
                     [this](const books::ArrivalOrder& order) { send_all(order); });
}

void Coordinator::begin() {
  if (windows_) windows_->begin();
  if (arrival_) arrival_->begin();
}

void Coordinator::hear(const books::AtWindow& message) {
  if (arrival_) return arrival_->hear(message);
  windows_.value().hear(message);
}

void Coordinator::hear(const books::Left& message) {
  events_.tell(
      "went",
      {{"stream", blueprint_.streams.at(message.stream).name}, {"rank", message.rank}, {"goodbye", message.goodbye}});
  registry_.left(message.stream, message.rank, message.generation, message.ledger, message.goodbye);
  if (windows_) windows_->refresh(message.stream);
  consider_end();
}

void Coordinator::hear(const books::Finished& message) {
  registry_.finished(message.stream, message.rank, message.generation, message.finished);
  consider_end();
}

void Coordinator::hear(const books::LeftOutSum& message) {
  tell(book_.answer(message.what, message.hash));
  last_call_.came(nodes_.at(message.node).first);
  consider_exit();
}

void Coordinator::hear(const books::WantDraw& message) {
  const auto& [node, stream, epoch] = message;
  switch (draws_.want(stream, epoch)) {
    case books::DrawBook::Answer::ask:
      if (epoch != std::exchange(last_drawn_.at(stream), epoch) + 1)
        log::info("stream {}: trainers go on in epoch {}, whose samples are drawn first (a pass over all of them)",
                  blueprint_.streams[stream].name, epoch);
      return send_all(books::AskDraw{stream, epoch});
    case books::DrawBook::Answer::wait:
      return;
    case books::DrawBook::Answer::known:
      return send_(node, books::DrawRows{stream, epoch, draws_.rows(stream, epoch)});
  }
}

void Coordinator::hear(const books::Drawn& message) {
  if (draws_.came(message.stream, message.epoch, message.stager, message.rows))
    send_all(books::DrawRows{message.stream, message.epoch, draws_.rows(message.stream, message.epoch)});
}

void Coordinator::hear(const books::Drained& message) {
  last_call_.came(message.stager);
  consider_exit();
}

void Coordinator::consider_exit() {
  if (!last_call_.complete() || std::exchange(exit_sent_, true)) return;
  send_all(books::Exit{audit_failed()});
}

void Coordinator::send_all(const books::FromHead& message) const {
  for (auto node = static_cast<std::uint32_t>(nodes_.size()); node-- > 0;) send_(node, message);
}

void Coordinator::hear(const books::ClaimRank& message) {
  const auto& [id, node, claim] = message;
  try {
    require(reason_.empty(), "the service is ending (" + reason_ + "); start it again");
    auto grant = registry_.claim(claim);
    all_gone_since_.reset();
    events_.tell("came", {{"stream", blueprint_.streams.at(claim.stream).name},
                          {"rank", claim.rank},
                          {"world_size", claim.world_size},
                          {"who", claim.who}});
    send_(node, books::Granted{id, std::move(grant)});
    if (windows_) windows_->refresh(claim.stream);
  } catch (const books::Taken& error) {
    send_(node, books::ClaimRefused{id, error.what(), true});
  } catch (const Error& error) {
    send_(node, books::ClaimRefused{id, error.what(), false});
  }
}

void Coordinator::hear(const books::AskAgree& message) {
  const auto before = registry_.newest_state(message.stream);
  auto refusal = registry_.agree(message.stream, message.rank, message.generation, message.at);
  send_(message.node, books::AgreeAnswer{message.local, message.trainer, message.number, std::move(refusal)});
  const auto newest = registry_.newest_state(message.stream);
  // The first that goes on from a state names the place; the others must hear of it once.
  if (newest && (!before || before->number != newest->number)) send_all(books::StateTaken{message.stream, *newest});
}

void Coordinator::hear(const books::TrainerEpoch& report) {
  // Of a session that is over: another number of trainers cut the batches there.
  if (report.session != registry_.session(report.stream)) return;
  tell(book_.add(report));
  if (const auto question = book_.question()) {
    for (const auto& node : nodes_) last_call_.expect(node.first);
    send_all(books::AskLeftOut{*question});
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
  if (windows_) windows_->tick(now);
  if (!all_gone_since_ || config_.stay) return;
  const double gone = std::chrono::duration<double>(now - *all_gone_since_).count();
  if (gone >= config_.linger)
    end(fmt::format("every trainer has said goodbye, and none came back for {:g} s", config_.linger));
}

void Coordinator::end(const std::string& reason) {
  if (!reason_.empty()) return;
  reason_ = reason;
  last_call_.begin(Clock::now());
  send_all(books::End{reason});
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

books::ServiceFigures Coordinator::figures() const {
  books::ServiceFigures all{
      .trainers = registry_.alive(), .ending = reason_, .arrival = arrival_ ? arrival_->figures() : std::nullopt};
  for (std::uint32_t s = 0; s < blueprint_.streams.size(); ++s) {
    const auto& totals = book_.totals(s);
    all.streams.push_back({.name = blueprint_.streams[s].name,
                           .samples = blueprint_.streams[s].samples,
                           .world_size = registry_.world_size(s),
                           .epochs_complete = totals.epochs,
                           .samples_delivered = totals.samples,
                           .exactly_once = totals.failed == 0,
                           .window = windows_ ? windows_->figures(s) : std::nullopt});
  }
  return all;
}

}  // namespace headrace::service::host
