#include "service/host/stager_watch.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

#include "base/wait.hpp"
#include "ipc/lifeline.hpp"
#include "service/books/messages.hpp"

namespace headrace::service::host {

namespace {

using ipc::Lifeline;

const auto for_the_launcher = wait_of("HEADRACE_WAIT_LAUNCHER", std::chrono::milliseconds{10'000});
constexpr std::string_view goodbye = "goodbye";

/// The last of what a link that has ended still holds; empty where that is nothing.
std::string last_text(const ipc::Connection& link) {
  std::string text;
  for (auto last = link.receive(); last.what == ipc::Receipt::message; last = link.receive())
    text = std::move(last.message.text);
  return text;
}

/// The reason in somebody's last words, as router.hpp has them, too.
std::optional<std::string> reason_in(const std::string& text, bool said_to_leader) try {
  if (!said_to_leader) {
    const auto to_stager = books::decode_to_stager(text);
    const auto* dead = std::get_if<books::Dead>(&to_stager);
    return dead ? std::optional(dead->text) : std::nullopt;
  }
  const auto from_stager = books::decode_from_stager(text);
  const auto* to_leader = std::get_if<books::ToLeader>(&from_stager);
  const auto* ended = to_leader ? std::get_if<books::Ended>(to_leader) : nullptr;
  return ended ? std::optional(ended->text) : std::nullopt;
} catch (const std::exception&) {
  return std::nullopt;  // it was something else
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
  const auto said = last_text(links_[link]);
  if (said == goodbye) return;
  if (const auto why = reason_in(said, seat_.is_leader())) return lost_(*why, 0);
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
      return suspect(fmt::format("a stager of another node has ended before its time (told by {}; see what the others "
                                 "say)",
                                 host),
                     seat_.local);
    case Lifeline::Fate::goodbye:
      poller_.remove(line.fd());
      return;
    case Lifeline::Fate::closed:
      poller_.remove(line.fd());
      return suspect(fmt::format("the first stager on {} has ended before its time (see what it said, if anything)", host), seat_.local);
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

bool StagerWatch::last_words(const std::string& why) noexcept try {
  const auto text = seat_.is_leader() ? books::encode(books::ToStager{books::Dead{why}})
                                      : books::encode(books::ToLeader{books::Ended{why}});
  bool said = false;
  for (const auto& link : links_)
    if (link) said |= link.send(text) == ipc::Sent::sent;
  return said;
} catch (...) {  // the end of the links tells it, too
  return false;
}

void StagerWatch::part() noexcept try {
  if (std::exchange(parted_, true)) return;
  for (const auto& link : links_)
    if (link) link.send(goodbye);
  for (const auto& neighbour : neighbours_) neighbour.line.say(Lifeline::Word::goodbye);
} catch (...) {  // they take the end for a death then
}

}  // namespace headrace::service::host
