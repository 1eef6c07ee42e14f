// What is said over the socket: JSON, one message each. Pure encoding and checking; any thread.
//
// Whatever arrives is decoded here, or an Error that says what is wrong with it; VersionMismatch if that is why.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/schema.hpp"
#include "ring/layout.hpp"

namespace headrace::ring {

/// The peer speaks another version; the text names both and says what to do.
class VersionMismatch : public Error {
 public:
  using Error::Error;
};

// --- from the client ---

enum class Role { trainer, control };

/// The first message of every connection. A trainer's carries one descriptor: a pidfd of its own process.
struct Hello {
  std::uint32_t version = protocol_version;
  Role role = Role::trainer;
  std::string stream;  ///< empty: the only one
  std::uint32_t rank = 0, world_size = 1;
  std::int32_t local_rank = -1;  ///< -1: any
  std::string host;
  std::int64_t pid = 0;
  std::uint32_t replica = 0;   ///< which of the processes that share the trainer's place
  std::uint32_t replicas = 0;  ///< how many it expects; 0: as many as there are
};
/// The next batch is that of (epoch, step); entries of older generations are discarded.
struct Seek {
  std::uint32_t generation = 0;
  std::uint64_t epoch = 0, step = 0;
  std::uint32_t taken = 0;  ///< entries of the ready queue that were taken before it; told where there are replicas
};
/// May this trainer go on at (epoch, step), from a state saved earlier? The answer is Agreed with the same number.
struct Agree {
  std::uint64_t number = 0;
  std::uint64_t epoch = 0, step = 0;
};
/// In which files are the samples? The answer is FilesTold.
struct AskFiles {};
/// The trainer leaves on purpose. Without it, it is as if it had died.
struct Goodbye {};
/// From a control connection. `body` is the whole message as JSON text; what else is in it, command and service agree
/// on.
struct Command {
  std::string name;
  std::string body;
  std::string word{};  ///< of the service that is meant, whoever has its name by now; empty: of whoever has it
};
using FromClient = std::variant<Hello, Seek, Agree, AskFiles, Goodbye, Command>;

// --- from the service ---

/// Not ready yet; comes any number of times.
struct Loading {
  std::string what;
  double fraction = -1;  ///< 0 .. 1, or -1
};
/// The trainer is in. Carries three descriptors: ring memfd, doorbell eventfd, pidfd of the serving stager; and, where
/// replicas share the ring, a fourth: the memfd of its own lane.
struct Welcome {
  std::uint32_t version = protocol_version;
  std::string service, stream;
  std::uint32_t rank = 0, world_size = 1;
  std::uint64_t batches = 0, samples = 0, epochs = 0;
  std::uint32_t batch = 0, slots = 0;
  std::uint32_t slot_rows = 0;  ///< that a slot has room for: fewer than batch where no step has so many; 0: batch
  std::uint64_t epoch = 0, step = 0;  ///< what the first batch will be
  std::uint32_t generation = 1;       ///< of the first entries
  Schema fields;
  std::map<std::string, std::string> fingerprint{};  ///< of what decides order and content, part by part
  std::uint64_t ring_bytes = 0;
  std::uint32_t stager = 0;
  std::int64_t pid = 0;
  std::string host;
  std::string last{};  ///< what becomes of rows that fill no batch: drop, partial, pad
  std::uint32_t replica = 0, replicas = 1;
};
/// Whether the trainers of the stream agree on where to go on.
struct Agreed {
  std::uint64_t number = 0;
  std::string refusal;  ///< empty: yes
};
/// Carries one descriptor: a sealed memfd that holds the table of files (file_table.hpp).
struct FilesTold {};
enum class Refusal { refused, version, failed };
/// The answer is no; the service closes after it.
struct Refused {
  Refusal kind = Refusal::refused;
  std::string text;
};
/// The service ends, by failure, signal or command; it may still say so.
struct Dying {
  std::string text;
};
using FromService = std::variant<Loading, Welcome, Agreed, FilesTold, Refused, Dying>;

std::string encode(const Hello& hello);
std::string encode(const Seek& seek);
std::string encode(const Agree& agree);
std::string encode(const AskFiles& ask);
std::string encode(const Goodbye& goodbye);
/// body: a JSON object as text, or empty.
std::string encode(const Command& command);
std::string encode(const Loading& loading);
std::string encode(const Welcome& welcome);
std::string encode(const Agreed& agreed);
std::string encode(const FilesTold& told);
std::string encode(const Refused& refused);
std::string encode(const Dying& dying);

FromClient decode_from_client(std::string_view text);
FromService decode_from_service(std::string_view text);

}  // namespace headrace::ring
