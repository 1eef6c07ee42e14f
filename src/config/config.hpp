// What the user asked for: one value for every command that takes configuration keys. Made by load.hpp from flags,
// environment, a TOML file and defaults; a plain value afterwards, read by any thread.
//
//   1. Every value was checked on its own (type, range, choices) and against the others (check.hpp).
//      What depends on the files (select against the number of samples, sources against datasets) is checked in data/.
//   2. Field and stream names are unique and not empty; there is always at least one stream.
//   3. Paths and patterns are relative to the working directory or absolute, never to the configuration file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dtype.hpp"
#include "plan/draw.hpp"
#include "plan/epoch_order.hpp"
#include "plan/schedule.hpp"
#include "transform/numbers/overflow.hpp"

namespace headrace::config {

using transform::numbers::Overflow;

enum class IoMode { automatic, collective, direct };
enum class Audit { count, full };

enum class Norm { none, minmax, standard, tanh_log };
enum class NormOver { column, field };
enum class Overlong { error, truncate };
enum class Encode { none, one_hot, index };
enum class CfMode { automatic, on, off };
enum class VirtualGaps { error, fill };
enum class MissingFiles { error, skip };

/// What becomes of NaN and infinities.
struct NonfinitePolicy {
  enum class Kind { unsaid, error, keep, variable_default, value } kind = Kind::unsaid;
  double value = 0;
  bool operator==(const NonfinitePolicy&) const = default;
};

/// One array of every batch. Fields stand in the order of the configuration; none named: the service picks them. The
/// meaning of the keys is told in docs/reference/fields.md.
struct FieldConfig {
  std::string name;
  std::vector<std::string> source;   ///< items: path, path.column, path[col, ...]; the field's own name unless said
  std::vector<double> scale, shift;  ///< none, one for all columns, or one per column
  std::string scale_file;
  Norm norm = Norm::none;
  NormOver norm_over = NormOver::column;
  std::vector<std::string> log, raw;  ///< columns
  NonfinitePolicy nonfinite{};        ///< unsaid: keep where values are delivered as they are in the file, else error
  std::optional<DType> dtype{};
  Overflow overflow = Overflow::error;
  Encode encode = Encode::none;
  std::vector<std::string> classes;  ///< "name:value|value"
  std::string valid, mask;
  std::optional<std::uint64_t> pad{};
  Overlong overlong = Overlong::error;
  std::string join;
  std::int64_t join_base = 1;
  CfMode cf = CfMode::automatic;
  std::optional<double> missing{};
  std::optional<double> fill{};  ///< of elements that are not real; unsaid: 0
  std::optional<std::vector<std::uint64_t>> shape{};
  std::string plugin, plugin_args;
  std::string decoder;  ///< of the files of an inventory: "npy", "npz:KEY", ...; the source names it, too
  bool operator==(const FieldConfig&) const = default;
};

/// [inventory]: a table of samples, each of which has a file of its own.
struct InventoryConfig {
  std::string csv;        ///< "": there is none, and `files` are the data
  std::string id = "id";  ///< column
  std::string path;       ///< of a sample's file, with {column} in it; relative to the table's folder, or a URL
  MissingFiles missing = MissingFiles::error;
  unsigned readers = 0;               ///< threads of a stager that read files; 0: as many as seem good
  unsigned workers = 0;               ///< processes of a stager that run decoders in Python; 0: one a thread
  unsigned decoder_timeout = 60'000;  ///< milliseconds without an answer after which such a process is given up
  std::string python;                 ///< the program that they are; "": python3
  bool operator==(const InventoryConfig&) const = default;
};

/// [fetch]: how files are got from URLs.
struct FetchConfig {
  unsigned connections = 16;         ///< of a stager
  unsigned retries = 5;              ///< of one file
  double timeout = 30;               ///< seconds without anything coming
  std::vector<std::string> headers;  ///< of each request: secrets, never printed
  std::string checksum;              ///< column of the table; its name says which kind: sha256, sha1, md5
  bool operator==(const FetchConfig&) const = default;
};

/// A named part of all samples, drawn at random by the seed.
struct SplitPart {
  std::string name;
  double fraction = 0;
  bool operator==(const SplitPart&) const = default;
};

/// A class of samples, for streams that mix classes and for the source @class. Its number is its place in the
/// configuration.
struct ClassConfig {
  std::string name;
  std::vector<std::string> files;  ///< patterns over the service's files; empty: all of them
  std::string where;               ///< condition; "": all samples of the files
  std::vector<std::string> values{};  ///< of class_column: then `where` is what they are called in messages and prints
  bool operator==(const ClassConfig&) const = default;
};

/// How many positions an epoch of a mix has.
struct EpochSize {
  enum class Kind { shortest, longest, samples } kind = Kind::shortest;
  std::uint64_t samples = 0;
  bool operator==(const EpochSize&) const = default;
};

/// A share of a class in a mix.
struct ClassShare {
  std::string name;
  std::uint64_t share = 1;
  bool operator==(const ClassShare&) const = default;
};

/// Whether and how a stream mixes classes.
struct MixConfig {
  enum class Kind { none, proportion, balanced, shares } kind = Kind::none;
  std::vector<ClassShare> shares;  ///< of kind `shares`
  plan::Mix::Within within = plan::Mix::Within::batch;
  EpochSize epoch_size{};
  bool operator==(const MixConfig&) const = default;
};

/// A variable by whose values samples are sorted into bins.
struct BinAxis {
  std::string text;           ///< as it was written
  std::string item;           ///< dataset or column
  bool absolute = false;      ///< of its absolute value
  std::vector<double> edges;  ///< ascending; a bin has its lower edge, the last one the upper one, too
  bool operator==(const BinAxis&) const = default;
};

enum class Outside { error, drop };
enum class ResampleAs { samples, weights };

/// [resample]: how often samples come, so that each class has the distribution of the target in the bins.
struct ResampleConfig {
  std::vector<BinAxis> bins;  ///< empty: nothing is resampled
  std::string target;         ///< a class, or "min", "mean", "max", "flat"
  /// Of each class: so many times the target's number of samples, or this many.
  struct Amount {
    double times = 1;
    std::uint64_t samples = 0;
    bool operator==(const Amount&) const = default;
  } samples{};
  std::uint64_t max_repeat = 0;  ///< of a sample in an epoch; 0: as often as it takes
  ResampleAs as = ResampleAs::samples;
  plan::Draw::Redraw redraw = plan::Draw::Redraw::epoch;
  Outside outside = Outside::error;
  bool operator==(const ResampleConfig&) const = default;
};

/// One ordered sequence of batches.
struct StreamConfig {
  std::string name = "train";
  std::vector<std::string> files;           ///< patterns over the service's files; empty: all of them
  std::string select;                       ///< slices, as plan::Selection::parse takes them, or the name of a part of
                                            ///< the split; "" = all samples
  std::string select_file, select_by;       ///< select = { file, by }: a list of sample numbers ("index"), or of values
                                            ///< of the dataset `by`
  bool select_repeats = false;              ///< what the list names several times comes as often
  std::string where;                        ///< condition; holds beside the service's own
  std::optional<std::uint32_t> batch = 32;  ///< rows per trainer and step; exactly one of batch and global_batch is set
  std::optional<std::uint64_t> global_batch;  ///< rows of all trainers together per step
  plan::Shuffle shuffle = plan::Shuffle::global;
  plan::Last last = plan::Last::drop;  ///< drop where shuffled, else partial, unless said otherwise
  plan::RowOrder order = plan::RowOrder::sorted;
  std::uint64_t epochs = 0;  ///< 0: endless
  MixConfig mix{};
  std::uint32_t replicas = 1;  ///< processes of a node that are one trainer together, and get the same batches
  bool resample = true;        ///< where there is [resample]
  bool operator==(const StreamConfig&) const = default;
};

/// How much is shuffled together where samples are shuffled in windows.
struct WindowConfig {
  enum class Kind { none, bytes, blocks, automatic } kind = Kind::none;
  std::uint64_t amount = 0;  ///< bytes of all nodes together, or blocks
  bool operator==(const WindowConfig&) const = default;
};

/// When trainers get their first batch.
enum class Start {
  loaded,  ///< once all samples are in place
  early,   ///< once an eighth is: epoch 0 is shuffled in windows, in which the files are read
};

struct Config {
  std::string name = "headrace";
  std::vector<std::string> files;  ///< paths and glob patterns, in the order given
  InventoryConfig inventory;       ///< instead of files
  FetchConfig fetch;
  std::vector<SplitPart> split;            ///< in order; fractions add up to at most 1
  std::string where;                       ///< condition on samples, as condition::Condition::parse takes it
  std::vector<ClassConfig> classes{};      ///< of [class.NAME], or of class-names: then `where` asks class_column
  std::string class_column;                ///< item whose values are classes
  std::vector<std::string> class_names{};  ///< "name:value|value", of class_column
  ResampleConfig resample{};
  std::vector<FieldConfig> fields;    ///< empty: all datasets of the most common length
  std::vector<StreamConfig> streams;  ///< never empty after loading

  unsigned trainers_per_node = 1;
  std::uint64_t seed = 0;
  unsigned slots = 0;        ///< batches that a trainer can hold or prefetch, >= 2; 0: see slots_of()
  unsigned threads = 0;      ///< workers of a stager; 0: its share of the node's cores
  std::uint64_t memory = 0;  ///< bytes that the service may use on a node; 0: what is available
  std::string scratch;       ///< folder of a disk of each node, for rows that do not fit its memory; "": there is none
  WindowConfig window{};     ///< none: all samples of a stream are shuffled at once
  std::uint64_t block =
      16u << 20;  ///< bytes of the files, at least: what is read at once, and meets as one in a window
  Start start = Start::loaded;
  IoMode io = IoMode::automatic;
  VirtualGaps virtual_gaps = VirtualGaps::error;  ///< rows of virtual datasets that no source gives
  Audit audit = Audit::count;
  double linger = 120;          ///< seconds that the service waits for trainers to return
  bool stay = false;            ///< linger for good
  double start_timeout = 1800;  ///< seconds that stagers wait for each other at start and while loading; 0: no limit
  double node_timeout = 60;     ///< seconds of silence after which a node is taken for dead; 0: never
  double stall_timeout = 0;     ///< seconds without a trainer's request that end the service; 0: never
  std::string socket;           ///< path of the socket; "": an abstract name made of uid and service name
  std::string log;              ///< file for one JSON line per event; "": none
  std::string metrics;          ///< file for Prometheus' text format on each node, %h: the host; "": none
  std::optional<std::pair<int, int>> ranks{};  ///< of the job that are stagers, first and last; none: all
  bool split_nodes = false;  ///< stagers of one node act as nodes of their own; the k-th is NAME.k for k > 0
  bool strict = false;       ///< streams that share samples are an error, not a warning
  bool quiet = false;
  bool verbose = false;

  /// Where trainers and tools find the service.
  const std::string& address() const { return socket.empty() ? name : socket; }
  /// Whether it says where samples come from.
  bool has_samples() const { return !files.empty() || !inventory.csv.empty(); }
  /// Whether an epoch may be shuffled in windows, which are made of blocks of the files.
  bool in_blocks() const { return window.kind != WindowConfig::Kind::none || start == Start::early; }
  bool operator==(const Config&) const = default;
};

/// The words of the configuration for these values ("auto", "collective", ...).
std::string_view word(IoMode mode);
std::string_view word(Start start);
std::string_view word(Audit audit);
std::string_view word(plan::Shuffle shuffle);
std::string_view word(plan::Last last);
std::string_view word(plan::RowOrder order);
std::string_view word(plan::Mix::Within within);
std::string_view word(Outside outside);
std::string_view word(ResampleAs as);
std::string_view word(plan::Draw::Redraw redraw);
/// "1 times" or "25000".
std::string text_of(const ResampleConfig::Amount& amount);
/// "balanced", "b:2, c:1", ...; "" where nothing is mixed.
std::string text_of(const MixConfig& mix);
std::string text_of(const EpochSize& size);
std::string_view word(Norm norm);
std::string_view word(NormOver over);
std::string_view word(Overflow overflow);
std::string_view word(Overlong overlong);
std::string_view word(Encode encode);
std::string_view word(CfMode mode);
std::string_view word(VirtualGaps gaps);
std::string_view word(MissingFiles missing);

}  // namespace headrace::config
