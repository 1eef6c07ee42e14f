#include "service/books/registry.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "base/error.hpp"
#include "base/narrow.hpp"

namespace headrace::service::books {

namespace {
constexpr std::size_t most_kept_loads = 256;  // all of them are told to who comes, in one message
}

Registry::Registry(std::vector<blueprint::StreamFacts> streams) : facts_(std::move(streams)), states_(facts_.size()) {}

void Registry::check(const Claim& claim) const {
  const auto& state = states_[claim.stream];
  const auto stream = "stream '" + facts_[claim.stream].name + "'";
  require(claim.world_size > 0 && claim.rank < claim.world_size, stream + ": rank " + std::to_string(claim.rank) +
                                                                     " is not below the world size " +
                                                                     std::to_string(claim.world_size));
  for (const auto& [rank, member] : state.members) {
    if (!member.alive) continue;
    if (rank == claim.rank)
      throw Taken(stream + ": rank " + std::to_string(rank) + " of " + std::to_string(state.world_size) +
                  " is taken by " + member.who + "; give each trainer a rank of its own, or end that process first");
    if (state.world_size != claim.world_size)
      throw Taken(stream + ": this trainer says that there are " + std::to_string(claim.world_size) + ", but rank " +
                  std::to_string(rank) + " (" + member.who + ") said " + std::to_string(state.world_size) +
                  "; all trainers of a stream must agree on the world size");
  }
}

Step Registry::begin_of_session(const State& state) {
  // Another number of trainers cuts batches elsewhere, so it begins with the first epoch that nobody has begun.
  Step begin = state.begin;
  for (const auto& [rank, member] : state.members) {
    auto ledger = member.ledger;
    ledger.leave();
    begin = std::max(begin, ledger.position());
  }
  return begin;
}

Grant Registry::claim(const Claim& claim) {
  check(claim);
  if (!claim.no_room.empty()) throw Taken(claim.no_room);
  auto& state = states_[claim.stream];
  const auto& facts = facts_[claim.stream];
  const auto steps = facts.schedule(claim.world_size).steps();
  if (state.world_size != claim.world_size) {
    state = {.world_size = claim.world_size, .session = state.session + 1, .begin = begin_of_session(state)};
  }
  if (std::ranges::none_of(state.members, [](const auto& entry) { return entry.second.alive; })) forget_loads(state);
  auto& member =
      state.members.try_emplace(claim.rank, Member{.ledger = Ledger(steps, facts.epochs, state.begin)}).first->second;
  member.alive = true;
  member.goodbye = false;
  member.generation = ++generations_;
  member.who = claim.who;
  Grant grant{member.generation, state.session, member.ledger, member.loads};
  for (auto k = std::max(member.loads, state.forgotten); k < state.all_loads(); ++k)
    grant.resumed.push_back(resumed(state, k));
  return grant;
}

Resumed Registry::resumed(const State& state, std::size_t number) {
  const auto& load = state.loads[number - state.forgotten];
  return {number, load.at, "rank " + std::to_string(load.rank) + " (" + load.who + ")"};
}

std::optional<Resumed> Registry::newest_state(std::uint32_t stream) const {
  const auto& state = states_[stream];
  if (state.loads.empty()) return std::nullopt;
  return resumed(state, state.all_loads() - 1);
}

void Registry::forget_loads(State& state) {
  state.loads.clear();
  state.forgotten = 0;
  for (auto& [rank, member] : state.members) member.loads = 0;
}

void Registry::forget_shared_loads(State& state) {
  if (state.members.size() < state.world_size) return;  // whoever comes has all before it
  auto shared = state.all_loads();
  for (const auto& [rank, member] : state.members) shared = std::min(shared, member.loads);
  // The newest one stays: it is told to all.
  for (; state.forgotten < shared && state.loads.size() > 1; ++state.forgotten) state.loads.pop_front();
}

std::string Registry::agree(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, Step at) {
  auto& state = states_[stream];
  const auto found = state.members.find(rank);
  if (found == state.members.end()) return "";
  auto& member = found->second;
  if (member.generation != generation || !member.alive) return "";  // it has gone since
  if (member.loads == state.all_loads()) {
    if (state.loads.size() >= most_kept_loads)
      return "stream '" + facts_[stream].name + "': " + std::to_string(most_kept_loads) +
             " states were loaded of which other trainers have taken up none; let all of them connect first";
    state.loads.push_back({at, rank, member.who});
  }
  const auto load = state.loads[member.loads - state.forgotten];
  if (load.at == at) {
    ++member.loads;
    forget_shared_loads(state);
    return "";
  }
  const auto place = [](Step step) {
    return "epoch " + std::to_string(step.epoch) + ", step " + std::to_string(step.step);
  };
  return "stream '" + facts_[stream].name + "': rank " + std::to_string(rank) + " (" + member.who +
         ") wants to go on at " + place(at) + ", but rank " + std::to_string(load.rank) + " (" + load.who +
         ") goes on at " + place(load.at) +
         "; load the state of the same moment in every trainer (to begin anew, end all of them first)";
}

void Registry::left(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, const Ledger& ledger,
                    bool goodbye) {
  const auto found = states_[stream].members.find(rank);
  if (found == states_[stream].members.end() || found->second.generation != generation) return;
  found->second.alive = false;
  found->second.goodbye = goodbye;
  found->second.ledger = ledger;
  found->second.finished = ledger.finished();  // it may have gone back since it told so
}

void Registry::finished(std::uint32_t stream, std::uint32_t rank, std::uint64_t generation, bool all) {
  const auto found = states_[stream].members.find(rank);
  if (found != states_[stream].members.end() && found->second.generation == generation) found->second.finished = all;
}

bool Registry::all_consumed() const {
  for (std::size_t i = 0; i < facts_.size(); ++i) {
    if (facts_[i].epochs == 0 || states_[i].members.empty()) return false;
    if (states_[i].members.size() < states_[i].world_size) return false;
    for (const auto& [rank, member] : states_[i].members)
      if (!member.finished) return false;
  }
  return true;
}

bool Registry::all_said_goodbye() const {
  bool any = false;
  for (const auto& state : states_)
    for (const auto& [rank, member] : state.members) {
      if (member.alive || !member.goodbye) return false;
      any = true;
    }
  return any;
}

std::vector<Registry::Open> Registry::open_ranks(std::uint32_t stream) const {
  const auto& state = states_[stream];
  std::vector<Open> open;
  const bool any =
      std::ranges::any_of(state.members, [](const auto& entry) { return entry.second.alive || !entry.second.goodbye; });
  for (std::uint32_t rank = 0; any && rank < state.world_size; ++rank) {
    const auto name = "trainer " + std::to_string(rank);
    const auto found = state.members.find(rank);
    if (found == state.members.end()) {
      open.push_back({rank, state.begin, false, 0, name + ", which has not come"});
      continue;
    }
    const auto& member = found->second;
    if (member.alive)
      open.push_back({rank, member.ledger.position(), true, member.generation, name + " (" + member.who + ")"});
    else if (!member.goodbye)
      open.push_back({rank, member.ledger.position(), false, 0, name + " (" + member.who + "), which is gone"});
  }
  return open;
}

std::optional<std::uint64_t> Registry::living(std::uint32_t stream, std::uint32_t rank) const {
  const auto found = states_[stream].members.find(rank);
  return found != states_[stream].members.end() && found->second.alive ? std::optional(found->second.generation)
                                                                       : std::nullopt;
}

std::size_t Registry::alive() const {
  std::size_t count = 0;
  for (const auto& state : states_)
    for (const auto& [rank, member] : state.members) count += member.alive;
  return count;
}

}  // namespace headrace::service::books
