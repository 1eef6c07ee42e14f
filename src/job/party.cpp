#include "job/party.hpp"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "job/random_word.hpp"
#include "mpi/launcher.hpp"
#include "mpi/session.hpp"

namespace headrace::job {

namespace {

constexpr std::chrono::seconds for_the_first{10};  // to speak and end the job

// The other stagers may not come to where this one could agree with them, and the other programs never do.
[[noreturn]] void refuse(bool speaks, const std::string& why) {
  if (speaks) fmt::print(stderr, "headrace: {}\n", printable_message(why));
  std::this_thread::sleep_for(speaks ? std::chrono::seconds(0) : for_the_first);
  mpi::Session::abort(2);
}

Party of_ranks(const std::string& name, const std::string& address, const Ranks& ranks) {
  const auto& [first, last] = ranks;
  const int rank = mpi::Session::rank(), size = mpi::Session::size();
  if (last >= size)
    refuse(mpi::is_first() || rank == first,
           fmt::format("ranks = {}-{}, but this job has {} processes; name those of the stagers", first, last, size));
  if (rank < first || rank > last)
    refuse(true, fmt::format("ranks = {}-{}, but rank {} is a stager, too; name all of them", first, last, rank));
  return {mpi::Comm::of_ranks(first, last), last - first + 1 < size, {name, address, ""}};
}

// Sockets may lie elsewhere on each node. The first stager of a node is the one that listens there.
std::string address_here(const mpi::Comm& world, Role role, const std::string& address) {
  for (const auto& text : world.split_shared().allgather(static_cast<char>(role) + address))
    if (text.at(0) == static_cast<char>(Role::stager)) return text.substr(1);
  return "";
}

}  // namespace

Party meet(Role role, const std::string& name, const std::string& address, const std::optional<Ranks>& ranks) {
  if (ranks) return of_ranks(name, address, *ranks);
  const auto world = mpi::Comm::world();
  std::set<Role> roles;
  std::set<std::string> services;
  std::string word;  // the first stager's
  const auto own = random_word();
  for (const auto& text : world.allgather(static_cast<char>(role) + own + name)) {
    roles.insert(static_cast<Role>(text.at(0)));
    if (text[0] != static_cast<char>(Role::stager)) continue;
    if (word.empty()) word = text.substr(1, own.size());
    services.insert(text.substr(1 + own.size()));
  }
  if (roles.size() > 1 && roles.count(Role::alone))
    throw UsageError("only headrace serve and headrace run share a job; give other commands one of their own");
  if (roles.count(Role::starter) && services.empty())
    throw UsageError(
        "no headrace serve is in this job; headrace run starts trainers beside one: mpirun -n 2 headrace serve -c "
        "lcd.toml : -n 4 headrace run -- python train.py");
  if (services.size() > 1)
    throw UsageError(fmt::format("the stagers of one job serve '{}' and '{}'; give all the same name",
                                 *services.begin(), *services.rbegin()));
  Party party{world.split(static_cast<int>(role), world.rank()), roles.size() > 1, {}};
  if (!services.empty())
    party.service = {*services.begin(), party.shared ? address_here(world, role, address) : address, word};
  return party;
}

void end_job(const mpi::Comm& mine, std::string_view message, int exit_code) {
  if (mine.rank() == 0)
    fmt::print(stderr, "headrace: {}\n", printable_message(message));
  else
    std::this_thread::sleep_for(for_the_first);
  mpi::Session::abort(exit_code);
}

}  // namespace headrace::job
