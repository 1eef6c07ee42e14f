#include "commands/writing/interrupts.hpp"

#include <utility>

#include "log/log.hpp"
#include "mpi/patience.hpp"

namespace headrace::commands::writing {

void Interrupts::when_it_ends(std::function<void()> let_go) {
  let_go_ = std::move(let_go);
  mpi::patience().farewell = [let_go = let_go_](const std::string&) { let_go(); };
  signals_.on_end([let_go = let_go_](const std::string&) { let_go(); });
}

void Interrupts::before_writing(service::host::Host& host, std::function<void()> tidy) {
  host_ = &host;
  mpi::patience().farewell = [&host, let_go = let_go_](const std::string& why) {
    let_go();
    host.farewell(why);
  };
  signals_.on_end([tidy = std::move(tidy), let_go = let_go_](const std::string& signal) {
    log::info("ended by {} before anything was written", signal);
    tidy();
    let_go();
  });
  signals_.on_report([&host] { host.show_state(); });
  if (let_go_) host.on_over(let_go_);  // it may end the process by itself: another stager has died, say
}

void Interrupts::while_writing(std::function<void(const std::string& signal)> stop) {
  host_->advise("what is written stays, go on with --resume");
  signals_.on_end([let_go = let_go_](const std::string& signal) {
    log::info("ended by {}; go on with --resume", signal);
    let_go();
  });
  signals_.on_stop([stop = std::move(stop)](const std::string& signal) {
    stop(signal);
    return true;
  });
}

void Interrupts::after_writing() {
  signals_.on_stop(nullptr);
}

void Interrupts::complete() {
  after_writing();
  signals_.on_end([let_go = let_go_](const std::string& signal) {
    log::info("ended by {}; all is written", signal);
    let_go();
  });
  host_->advise("");
}

void Interrupts::forget() {
  signals_.on_stop([](const std::string&) { return true; });
  signals_.on_end([let_go = let_go_](const std::string&) { let_go(); });
  signals_.on_report(nullptr);
  mpi::patience().farewell = nullptr;
}

std::string agreed_reason(const mpi::Comm& all, const std::string& mine) {
  for (const auto& reason : all.allgather(mine))
    if (!reason.empty()) return reason;
  return "another stager";
}

}  // namespace headrace::commands::writing
