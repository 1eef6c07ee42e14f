#include "service/host/stager_watch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string_view>
#include <utility>

#include "base/wait.hpp"
#include "ipc/lifeline.hpp"

namespace headrace::service::host {

namespace {

using ipc::Lifeline;

const auto for_the_launcher = wait_of("HEADRACE_WAIT_LAUNCHER", std::chrono::milliseconds{10'000});
constexpr std::string_view goodbye = "goodbye";

/// What a link that has ended still holds: whether that is a goodbye.
bool parted(const ipc::Connection& link) {
  bool said = false;
  for (auto last = link.receive(); last.what == ipc::Receipt::message; last = link.receive())
    said = last.message.text == goodbye;
  return said;
}

}  // namespace

StagerWatch::StagerWatch(const Seat& seat, ipc::Poller& poller, std::vector<ipc::Connection>& links,
                         const std::vector<job::Neighbour>& neighbours, Lost lost)
    : seat_(seat), poller_(poller), links_(links), neighbours_(neighbours), lost_(std::move(lost)) {
  for (std::size_t link = 0; link < links_.size(); ++link)
    if (links_[link])
      poller_.add(links_[link].fd(), ipc::Interest{}, [this, link](ipc::Events) { look_at_link(link); });
  for (std::size_t i = 0; i < neighbours_.size(); ++i)
    poller_.add(neighbours_[i].line.fd(), [this, i] { look_at_lifeline(i); });
}

std::vector<ipc::Connection> StagerWatch::release_links() {
  for (const auto& link : links_)
    if (link) poller_.remove(link.fd());
  return std::exchange(links_, {});
}

void StagerWatch::look_at_link(std::size_t link) {
  poller_.remove(links_[link].fd());
  if (parted(links_[link])) return;
  // The leader tells its node of a death; of its own death the next stager does.
  suspect(fmt::format("stager {} on {} died", seat_.here().first + link, seat_.here().host), link == 0 ? 1 : 0);
}

void StagerWatch::look_at_lifeline(std::size_t neighbour) {
  const auto& [host, line] = neighbours_[neighbour];
  const auto& here = seat_.here().host;
  switch (line.fate()) {
    case Lifeline::Fate::fine:
      return;
    case Lifeline::Fate::alarm:
      return suspect(fmt::format("a stager of another node died (told by {}; see what the others say)", host),
                     seat_.local);
    case Lifeline::Fate::goodbye:
      poller_.remove(line.fd());
      return;
    case Lifeline::Fate::closed:
      poller_.remove(line.fd());
      return suspect(fmt::format("the first stager on {} died", host), seat_.local);
    case Lifeline::Fate::reset:
      poller_.remove(line.fd());
      if (suspicion_) return;  // that end had not read our alarm when it went
      return lost_(fmt::format("the first stager on {} is gone, though {} answers {} (started anew, or cut off meanwhile)",
                               host, host, here),
                   seat_.local);
    case Lifeline::Fate::lost:
      poller_.remove(line.fd());
      return lost_(
          fmt::format("{} does not answer {} any more (it lost its power or its network; see node-timeout)", host, here),
          seat_.local);
  }
}

void StagerWatch::suspect(std::string what, std::uint32_t teller) {
  if (suspicion_) return;
  suspicion_ = {std::move(what), teller, Clock::now()};
  for (const auto& neighbour : neighbours_) neighbour.line.say(Lifeline::Word::alarm);
}

void StagerWatch::tick(Clock::time_point now) {
  if (suspicion_ && now - suspicion_->since >= for_the_launcher) lost_(suspicion_->what, suspicion_->teller);
}

void StagerWatch::part() noexcept try {
  if (std::exchange(parted_, true)) return;
  for (const auto& link : links_)
    if (link) link.send(goodbye);
  for (const auto& neighbour : neighbours_) neighbour.line.say(Lifeline::Word::goodbye);
} catch (...) {  // they take the end for a death then
}

}  // namespace headrace::service::host
