#include "service/host/router.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "ipc/no_descriptor.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

Router::Router(const Seat& seat, ipc::Poller& poller, std::vector<ipc::Connection> links, Exchange exchange, Post post,
               Receivers receivers)
    : seat_(seat), exchange_(std::move(exchange)), post_(std::move(post)), receivers_(std::move(receivers)) {
  // Nobody waits with reading here: two stagers that did, each with a message for the other, would do so for ever.
  const ipc::Courier::Manner manner{.polite = false, .limit = 256u << 20};
  links_.resize(links.size());
  for (std::size_t link = 0; link < links.size(); ++link)
    if (links[link])
      links_[link] =
          std::make_unique<ipc::Courier>(poller, std::move(links[link]), manner, [this, link] { read(link); });
}

void Router::to_head(books::ToHead message) {
  if (!seat_.is_leader()) return say(0, books::encode(message), {});
  if (!seat_.is_head()) return exchange_(0, books::encode(message));
  // Not at once: the answer could reach the caller while it is still asking.
  post_([this, message = std::move(message)]() mutable { receivers_.head(std::move(message)); });
}

void Router::to_leader(books::ToLeader message) {
  if (seat_.is_leader()) return receivers_.from_node(std::move(message));
  say(0, books::encode(message), {});
}

void Router::to_node(std::uint32_t node, books::FromHead message) {
  if (node == seat_.my_node) return receivers_.from_head(std::move(message));
  exchange_(static_cast<int>(seat_.nodes[node].first), books::encode(message));
}

void Router::to_local(std::uint32_t local, books::ToStager message, std::vector<ipc::Fd> fds) {
  if (local == seat_.local) return receivers_.from_leader(std::move(message), std::move(fds));
  say(local, books::encode(message), std::move(fds));
}

void Router::to_others(const books::ToStager& message) {
  if (!seat_.is_leader()) return;
  const auto text = books::encode(message);
  for (std::size_t link = 0; link < links_.size(); ++link) say(link, text, {});
}

void Router::last_word_to_others(const books::ToStager& message) noexcept try {
  if (!seat_.is_leader()) return;
  const auto text = books::encode(message);
  for (const auto& link : links_)
    if (link) link->say(text);
} catch (...) {  // the end of the link tells them, too
}

bool Router::last_word_to_leader(const books::ToLeader& message) noexcept try {
  if (seat_.is_leader() || links_.empty() || !links_.front()) return false;
  return links_.front()->say(books::encode(message)) == ipc::Courier::Said::sent;
} catch (...) {  // the end of the link tells it, too
  return false;
}

void Router::arrived(const std::string& text) {
  if (seat_.is_head())
    receivers_.head(books::decode_to_head(text));
  else
    receivers_.from_head(books::decode_from_head(text));
}

ipc::Received Router::receive(std::size_t link) const try {
  return links_[link]->receive();
} catch (const ipc::NoDescriptors& error) {
  log::warn("{}", error.what());
  return {ipc::Receipt::message, {error.message, {}}};  // whoever it is for sees that they are missing
}

void Router::read(std::size_t link) {
  for (;;) {
    auto received = receive(link);
    if (received.what == ipc::Receipt::closed) {
      links_[link].reset();
      return receivers_.link_closed(at(link));
    }
    if (received.what != ipc::Receipt::message) return;
    if (!seat_.is_leader()) {
      receivers_.from_leader(books::decode_to_stager(received.message.text), std::move(received.message.fds));
      continue;
    }
    auto message = books::decode_from_stager(received.message.text);
    if (auto* for_me = std::get_if<books::ToLeader>(&message))
      to_leader(std::move(*for_me));
    else
      to_head(std::move(std::get<books::ToHead>(message)));
  }
}

void Router::say(std::size_t link, std::string text, std::vector<ipc::Fd> fds) {
  if (!links_[link]) return;
  // closed: the end of the link says so itself.
  if (links_[link]->say(std::move(text), std::move(fds)) == ipc::Courier::Said::overfull)
    throw Error(fmt::format("stager {} on {} reads no messages any more (it hangs); look at it",
                            seat_.here().first + at(link), seat_.here().host));
}

void Router::flush_for(std::chrono::milliseconds limit) {
  for (const auto& link : links_)
    if (link) link->flush_for(limit);
}

void Router::wait_for_ends(std::chrono::milliseconds limit) const {
  const auto until = Clock::now() + limit;
  for (const auto& link : links_)
    while (link && !link->connection().hung_up() && Clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace headrace::service::host
