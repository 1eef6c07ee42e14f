// What the user asked for: one value that drives serve and bench. Made by options_load.hpp from flags, environment, a
// TOML file and defaults; a plain value afterwards, read by any thread.
//
//   1. Every value was checked on its own (type, range, choices); what depends on the files (select against the number
//   of
//      samples, sources against datasets) is checked where the files are known.
//   2. Field and stream names are unique and not empty; there is always at least one stream.
//   3. Paths and patterns are relative to the working directory or absolute, never to the configuration file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plan/schedule.hpp"

namespace headrace::service {

enum class IoMode { automatic, collective, direct };
enum class Audit { count, full };

/// One array of every batch. Fields stand in the order of the configuration; none named: the service picks them.
struct FieldConfig {
  std::string name;
  std::string source;  ///< path of the dataset; the field's own name unless said otherwise
  bool operator==(const FieldConfig&) const = default;
};

/// One ordered sequence of batches.
struct StreamConfig {
  std::string name = "train";
  std::string select;                       ///< slices, as plan::Selection::parse takes them; "" = all samples
  std::optional<std::uint32_t> batch = 32;  ///< rows per trainer and step; exactly one of batch and global_batch is set
  std::optional<std::uint64_t> global_batch;  ///< rows of all trainers together per step
  plan::Shuffle shuffle = plan::Shuffle::global;
  plan::Last last = plan::Last::drop;  ///< drop where shuffled, else partial, unless said otherwise
  std::uint64_t epochs = 0;            ///< 0: endless
  bool operator==(const StreamConfig&) const = default;
};

struct Config {
  std::string name = "headrace";
  std::vector<std::string> files;     ///< paths and glob patterns, in the order given
  std::vector<FieldConfig> fields;    ///< empty: all datasets of the most common length
  std::vector<StreamConfig> streams;  ///< never empty after loading

  unsigned trainers_per_node = 1;
  std::uint64_t seed = 0;
  unsigned slots = 4;        ///< batches that a trainer can hold or prefetch; >= 2
  unsigned threads = 0;      ///< workers of a stager; 0: its share of the node's cores
  std::uint64_t memory = 0;  ///< bytes that the service may use on a node; 0: what is available
  IoMode io = IoMode::automatic;
  Audit audit = Audit::count;
  double linger = 120;       ///< seconds that the service waits for trainers to return
  bool stay = false;         ///< linger for good
  double stall_timeout = 0;  ///< seconds without a trainer's request that end the service; 0: never
  std::string socket;        ///< path of the socket; "": an abstract name made of uid and service name
  bool split_nodes = false;  ///< stagers of one node act as nodes of their own; the k-th is NAME.k for k > 0
  bool quiet = false;
  bool verbose = false;

  bool operator==(const Config&) const = default;
};

/// The words of the configuration for these values ("auto", "collective", ...).
std::string_view word(IoMode mode);
std::string_view word(Audit audit);
std::string_view word(plan::Shuffle shuffle);
std::string_view word(plan::Last last);

}  // namespace headrace::service
