// Which streams are shuffled in windows, and how many blocks a window has: what the key `window` says of the streams
// that there are. Pure arithmetic, the same on every stager; any thread.
//
//   1. Streams whose samples take little (together a quarter of a window) or no more than their window are shuffled as a
//      whole; streams that are not shuffled are left alone. The others share the window by what they have.
//   2. A function of files and configuration; with window = auto also of what the memory of all nodes may take, from
//      which W comes rounded to 2^k or 3 * 2^k, so that machines that are alike agree.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "plan/blocks.hpp"
#include "service/blueprint/stream_facts.hpp"

namespace headrace::service::blueprint {

/// Of the memory of all nodes, a quarter is for streams that are in memory as a whole beside others that are not.
constexpr std::uint64_t resident_share = 4;

/// What is known when windows are laid out.
struct WindowGround {
  std::span<const std::uint64_t> samples;  ///< of each stream, each once
  std::uint64_t row_bytes = 0;             ///< of a sample in memory
  std::uint64_t stored = 0;                ///< samples that some stream delivers
  std::uint64_t all_samples = 0, blocks = 0;
  std::uint64_t room = 0;  ///< bytes that the samples of all nodes may take
};

struct WindowShares {
  std::vector<std::uint64_t> bytes;  ///< of a window of each stream; 0: it is shuffled as a whole, or not at all
  bool straight = false;             ///< streams that are not shuffled may be read lap by lap
  bool any() const;
};

WindowShares share_window(const config::WindowConfig& window, const std::vector<StreamFacts>& streams,
                          const WindowGround& ground);

/// Blocks of a window of the stream, which has this many with rows of it. stagers: of the service. Error that names the
/// way out where a window has no room for one; smaller_blocks: how these come about (blocks.hpp).
std::uint64_t blocks_a_window(const config::WindowConfig& window, const std::string& stream, std::uint64_t share_bytes,
                              std::uint64_t stream_bytes, std::uint64_t filled, std::uint32_t stagers,
                              const std::string& smaller_blocks = "take smaller blocks (block)");

/// "window = 64 has no effect, as all samples are one block; take smaller blocks (block)": where that is so; else "".
/// all_fit: all samples have room in memory, which `auto` asks first.
std::string no_effect(const config::WindowConfig& window, std::uint64_t blocks, bool all_fit,
                      const std::string& smaller_blocks);

/// The largest 2^k or 3 * 2^k that is not above; count > 0.
std::uint64_t rounded_down(std::uint64_t count);

/// Error that names what does not go with windows, or where epoch 0 starts early with an early start, and scratch.
/// joins: whether a field is a join.
void require_windows_possible(config::Start start, const config::StreamConfig& stream, const StreamFacts& facts,
                              bool mixes, bool joins);

/// Where two windows at a time are in memory, trainers that go hand in hand must find each global batch in these. Error
/// that ends with the way out.
void require_two_windows_hold(const StreamFacts& stream, std::uint32_t trainers, const std::string& way_out);
/// Of the trainers that the configuration expects.
constexpr auto larger_window = "choose a larger window or a smaller batch";
/// Error where a stream draws how often samples come: it cannot be beside streams that are read window by window.
void require_no_draws(const std::vector<StreamFacts>& streams);

}  // namespace headrace::service::blueprint
