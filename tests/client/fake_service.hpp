// A service of one process and one thread, made of the real ring and sockets, with data from formula.hpp in place of
// files: what the trainers' library is tested against. Its options are explained in fake_stager.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ipc/poller.hpp"
#include "ipc/process.hpp"
#include "ipc/socket.hpp"
#include "ring/messages.hpp"
#include "ring/producer.hpp"

namespace fake {

struct Options {
  std::string name = "fake";
  std::vector<std::string> streams{"train"};
  std::uint64_t rows = 1000, steps = 0, epochs = 0;
  std::uint32_t batch = 10, slots = 4, trainers = 8;
  std::string last = "drop";
  int delay_ms = 0, load_ms = 0;
  std::uint64_t die_after = 0, stop_after = 0;
  bool once = false, log = false;
};

using Clock = std::chrono::steady_clock;
using Place = std::pair<std::uint64_t, std::uint64_t>;  // epoch, step

/// What one rank of a stream has got; outlives its trainer.
struct Course {
  Place cursor{0, 0};
  std::set<Place> again;  // was leased when a trainer died: comes first
  bool ended = false;     // publish_end() was done since the last change
};

struct Guest {
  headrace::ipc::Connection connection;
  headrace::ipc::Fd pidfd;
  headrace::ipc::Bell bell;
  std::unique_ptr<headrace::ring::Producer> ring;
  std::uint32_t stream = 0, rank = 0, world_size = 1, generation = 1;
  std::int64_t pid = 0;
  bool greeted = false, control = false;
  Clock::time_point next{};
};

class Service {
 public:
  explicit Service(Options options);
  void run();  ///< until the options say so, or for ever

 private:
  void accept();
  void read(int key);
  void greet(int key, const headrace::ring::Hello& hello, std::vector<headrace::ipc::Fd> fds);
  std::string objection(const headrace::ring::Hello& hello, std::uint32_t& stream) const;
  void admit(int key);
  void command(int key, const headrace::ring::Command& command);
  void agree(const Guest& guest, const headrace::ring::Agree& wanted);
  void tell_files(const Guest& guest) const;
  void seek(Guest& guest, const headrace::ring::Seek& seek);
  void leave(int key, bool goodbye);
  void collect(Guest& guest);
  /// One round; whether nothing came back meanwhile.
  bool pump(Guest& guest);
  void fill(Guest& guest, std::uint32_t slot, Place place);
  bool take_next(Guest& guest, Place& place);
  std::uint64_t steps(std::uint32_t world_size) const;
  Course& course(const Guest& guest) { return courses_[{guest.stream, guest.rank}]; }
  std::chrono::milliseconds until_next() const;
  void load();
  void log(const Guest& guest, const std::string& what) const;
  void stop(const std::string& why);

  Options options_;
  headrace::ipc::Listener listener_;
  headrace::ipc::Poller poller_;
  std::map<int, Guest> guests_;  // by the socket's number
  std::map<std::pair<std::uint32_t, std::uint32_t>, Course> courses_;
  std::map<std::uint32_t, std::uint32_t> world_sizes_;               // by stream, while a trainer lives
  std::map<std::uint32_t, std::pair<std::uint32_t, Place>> agreed_;  // by stream: who wanted to go on where
  Clock::time_point ready_at_;
  std::uint64_t published_ = 0;
  bool loading_ = true, over_ = false, had_trainers_ = false;
};

}  // namespace fake
