// What stagers tell each other, and who listens to it.
//
//   up: stager -> leader of its node -> stager 0.     down: stager 0 -> leaders -> stagers of their nodes.
#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "service/host/host.hpp"

namespace headrace::service::host {

void Host::up(const nlohmann::json& message) {
  if (!topology_.is_leader()) return to_link(0, message);
  const auto& type = message.at("type").get_ref<const std::string&>();
  if (type.starts_with("ring_")) return desk_->about_ring(message);  // a matter of this node
  if (topology_.me() == 0)
    // Not at once: the answer could reach the caller while it is still asking.
    post([this, message] {
      if (Views::is_mine(message.at("type").get<std::string>()))
        views_->handle(message);
      else
        coordinator_->handle(message);
    });
  else
    service_.send_to_stager(0, message.dump());
}

void Host::down(std::uint32_t node, const nlohmann::json& message) {
  if (node == topology_.my_node)
    handle(message, {});
  else
    service_.send_to_stager(static_cast<int>(topology_.nodes[node].first), message.dump());
}

void Host::message_from_stager(std::string text) {
  post([this, text = std::move(text)] {
    const auto message = nlohmann::json::parse(text);
    const auto& type = message.at("type");
    if (Views::is_mine(type)) return views_->handle(message);
    if (type == "grant" || type == "refuse" || type == "agreed" || type == "end" || type == "exit" ||
        type == "ask_left_out" || type == "resumed")
      handle(message, {});
    else
      coordinator_->handle(message);
  });
}

void Host::broadcast(const nlohmann::json& message) {
  if (!topology_.is_leader()) return;
  for (std::size_t link = 0; link < links_.size(); ++link) to_link(link, message);
}

void Host::handle(const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  const auto type = message.at("type").get<std::string>();
  if (type == "grant" || type == "refuse") return desk_->answer(message);
  if (Views::is_mine(type)) return views_->handle(message);
  if (type == "agreed") {
    const std::uint32_t local = message.at("local");
    return local == topology_.local() ? trainers_->agreed(message) : to_link(local, message);
  }
  if (type == "resumed") {
    broadcast(message);
    return trainers_->resumed(message);
  }
  if (type == "ask_left_out") return left_out(message);
  if (type == "trainer") return trainers_->welcome(message, std::move(fds));
  if (type == "make_ring") return trainers_->make_ring(message);
  if (type == "end") {
    broadcast(message);
    return begin_end(message.at("reason"));
  }
  if (type == "exit") {
    broadcast(message);
    return conclude();
  }
  if (type == "dead") return fail(message.at("text"), 0);
}

void Host::left_out(const nlohmann::json& message) {
  // A worker does it: after a seek it may be many samples.
  service_.workers->post([this, what = books::LeftOut::from_json(message)] {
    const auto& here = topology_.here();
    auto answer = what.to_json();
    answer["type"] = "left_out";
    answer["node"] = topology_.my_node;
    answer["hash"] =
        books::left_out_hash(*service_.blueprint, config_.seed, what, here.first, here.first + here.stagers);
    post([this, answer] { up(answer); });
  });
}

void Host::from_link(std::size_t link) {
  for (;;) {
    auto received = links_[link]->receive();
    if (received.what == ipc::Receipt::closed) return link_closed(link);
    if (received.what != ipc::Receipt::message) return;
    const auto message = nlohmann::json::parse(received.message.text);
    if (topology_.is_leader() && message.at("type") != "figures")
      up(message);
    else
      handle(message, std::move(received.message.fds));
  }
}

void Host::link_closed(std::size_t link) {
  links_[link].reset();
  if (over_) return;
  const auto dead = topology_.is_leader() ? link : 0;
  fail(fmt::format("{} on {} died", name_of_local(dead), topology_.here().host), dead == 0 ? 1 : 0);
}

void Host::look_at(std::size_t neighbour) {
  const auto& [host, line] = neighbours_[neighbour];
  const auto fate = line.fate();
  if (fate == ipc::Lifeline::Fate::fine) return;
  poller_.remove(line.fd());
  // That a process ended is for the launcher to judge: it may be the end of the service.
  if (fate == ipc::Lifeline::Fate::closed || over_) return;
  const auto& here = topology_.here().host;
  fail(fate == ipc::Lifeline::Fate::reset
           ? fmt::format("the first stager on {} is gone, though {} answers {} (started anew, or cut off meanwhile)",
                         host, host, here)
           : fmt::format("{} does not answer {} any more (it lost its power or its network; see node-timeout)", host,
                         here),
       topology_.local());
}

std::string Host::name_of_local(std::size_t local) const {
  return fmt::format("stager {}", topology_.here().first + local);
}

void Host::open_links() {
  // Nobody waits with reading here: two stagers that did, each with a message for the other, would do so for ever.
  const ipc::Courier::Manner manner{.polite = false, .limit = 256u << 20};
  for (auto& link : node_links_.links) {
    const auto number = links_.size();
    auto& made = links_.emplace_back();
    if (link)
      made = std::make_unique<ipc::Courier>(poller_, std::move(link), manner, [this, number] { from_link(number); });
  }
}

void Host::to_link(std::size_t link, const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  if (!links_[link]) return;
  // closed: the end of the link says so itself.
  if (links_[link]->say(message.dump(), std::move(fds)) == ipc::Courier::Said::overfull)
    throw Error(fmt::format("{} on {} reads no messages any more (it hangs); look at it",
                            name_of_local(topology_.is_leader() ? link : 0), topology_.here().host));
}

void Host::to_local(std::uint32_t local, const nlohmann::json& message, std::vector<ipc::Fd> fds) {
  if (local == topology_.local())
    handle(message, std::move(fds));
  else
    to_link(local, message, std::move(fds));
}

}  // namespace headrace::service::host
