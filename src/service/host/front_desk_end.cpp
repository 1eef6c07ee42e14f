// The end of the desk: who is told why, and who comes after it.
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

void FrontDesk::over() {
  // First: for who waits for it, the end of its connection says that the name is free. The desk itself lives on until
  // the service's memory is given back, which takes seconds where that is much.
  door_.close();
  callers_.clear();
}

}  // namespace headrace::service::host
