// The end of the desk: who is told why, and who comes after it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "service/host/front_desk.hpp"

namespace headrace::service::host {

void FrontDesk::close(const std::string& why) {
  closed_ = why;
  door_.withdraw();  // the process may be about to leave without destructors
  // Of a ring that is being made nothing may be heard any more: stagers that end do not tell. A claim is answered also
  // while the service ends.
  for (const auto state : {State::waiting, State::preparing})
    for (const auto id : in_state(state)) refuse(id, why, ring::Refusal::failed);
}

void FrontDesk::close_at_once(const std::string& why) {
  close(why);
  door_.let_in();  // this thread may have been late: a trainer in the kernel's queue has a right to know, too
  for (const auto id : in_state(State::connected)) read(id);
  for (const auto state : {State::connected, State::claimed})  // claimed: the answer would come too late
    for (const auto id : in_state(state)) refuse(id, why, ring::Refusal::failed);
}

std::vector<std::uint64_t> FrontDesk::in_state(State state) const {
  std::vector<std::uint64_t> found;
  for (const auto& [id, caller] : callers_)
    if (caller.state == state && !caller.gone()) found.push_back(id);
  return found;
}

void FrontDesk::over(bool audit_failed) {
  // First: who hears that it is over may begin a service of this name at once. One that looks for memory first waits for
  // the end of its connection.
  door_.close();
  std::erase_if(callers_, [](const auto& caller) { return !caller.second.stops; });
  const auto last = nlohmann::json{{"stopped", true}, {"audit_failed", audit_failed}}.dump();
  for (const auto& [id, caller] : callers_)
    if (!caller.gone()) caller.talk->say(last);
}

bool FrontDesk::is_awaited() const {
  return std::ranges::any_of(callers_, [](const auto& caller) { return caller.second.stops; });
}

}  // namespace headrace::service::host
