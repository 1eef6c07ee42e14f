// What stagers say to each other, and who may say it to whom. One variant per way, so that the compiler asks for a
// receiver of each message; whatever else arrives is refused by an Error that names it. Pure; any thread.
//
//   ToHead    any stager -> the leader of its node -> stager 0, the head of the service
//   FromHead  stager 0 -> leaders of nodes, which pass on what concerns the stagers of their nodes
//   ToLeader  a stager -> the leader of its node: matters of the node
//   ToStager  a leader -> the stagers of its node
//
// On the wire a message is one JSON object with its "type" (messages.cpp lists them): between nodes through the
// exchange, within a node through a socket, which can carry descriptors beside. All stagers of a service are of one
// build, so a message has no versions and no optional parts.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "service/books/arrival_book.hpp"
#include "service/books/epoch_book.hpp"
#include "service/books/figures.hpp"
#include "service/books/following.hpp"
#include "service/books/left_out.hpp"
#include "service/books/registry.hpp"
#include "service/books/ring_state.hpp"
#include "service/books/window_book.hpp"

namespace headrace::service::books {

// ---- to stager 0 --------------------------------------------------------------------------------------------------

/// A trainer wants a rank. The answer is Granted or ClaimRefused with the same id.
struct ClaimRank {
  std::uint64_t id = 0;    ///< of the caller at its front desk
  std::uint32_t node = 0;  ///< where that is
  Claim claim{};
};
/// The trainer of a claim is gone.
struct Left {
  std::uint32_t stream = 0, rank = 0;
  std::uint64_t generation = 0;
  Ledger ledger{};
  bool goodbye = false;
};
/// A trainer released the last batch of the last epoch, or went back after that.
struct Finished {
  std::uint32_t stream = 0, rank = 0;
  std::uint64_t generation = 0;
  bool finished = true;
};
/// A trainer wants to go on from a saved state. The answer is AgreeAnswer.
struct AskAgree {
  std::uint32_t node = 0, local = 0;  ///< the stager that serves it
  std::uint64_t trainer = 0;          ///< its number there
  std::uint32_t stream = 0, rank = 0;
  std::uint64_t generation = 0;
  std::uint64_t number = 0;  ///< of its question
  Step at{};
};
/// Somebody wants the service to end.
struct Stop {
  std::string reason{};
};
/// This stager has heard of the end ...
struct Ending {
  std::uint32_t stager = 0;
};
/// ... and has come to it.
struct Drained {
  std::uint32_t stager = 0;
};
/// A node's answer to AskLeftOut.
struct LeftOutSum {
  std::uint32_t node = 0;
  LeftOut what{};
  std::uint64_t hash = 0;
};
/// A node wants to see how the service is doing: Shown for each node, and Viewed at the end.
struct Watch {
  std::uint32_t node = 0;
};
/// How a node is doing, or a part of its trainers.
struct View {
  std::uint32_t node = 0;
  std::string host{};
  std::uint32_t stagers = 0;
  std::vector<std::uint32_t> silent_stagers{};
  std::vector<FormerRing> retired{};
  NodeMemory memory{};
  std::vector<TrainerFigures> trainers{};
  bool last = true;  ///< of the views of this node
};
/// A node wants to know how much each stager holds of an epoch that is drawn: DrawRows follows.
struct WantDraw {
  std::uint32_t node = 0, stream = 0;
  std::uint64_t epoch = 0;
};
/// A stager's answer to AskDraw.
struct Drawn {
  std::uint32_t stager = 0, stream = 0;
  std::uint64_t epoch = 0, rows = 0;
};
/// A trainer of a stream that is read window by window needs this window, and none before it; nothing: none any more.
/// Where samples are still being read while trainers are served, it waits for it.
struct AtWindow {
  std::uint32_t stream = 0, rank = 0;
  std::uint64_t generation = 0;
  std::optional<plan::EpochWindow> at{};
};
/// A stager's answer to a WindowOrder: it begins no other batches, and none is under way; or windows are there.
struct WindowAnswer {
  enum class What : std::uint8_t { left, first_loaded, both_loaded };
  std::uint32_t stager = 0, stream = 0;
  std::uint64_t turn = 0;
  What what = What::left;
  std::uint64_t read_bytes = 0;  ///< of files, for windows of all streams, since it began
};
/// How far a stager is with reading a window, in bytes.
struct ReadingWindow {
  std::uint32_t stager = 0, stream = 0;
  std::uint64_t turn = 0;
  plan::EpochWindow window{};
  std::uint64_t done = 0, total = 0;
};
/// A stager has a window in memory, which all have to come to (ArrivalOrder); bytes: of the files.
struct Arrived {
  std::uint32_t stager = 0;
  std::uint64_t window = 0, bytes = 0;
};
/// How far it is with that, in bytes.
struct Arriving {
  std::uint32_t stager = 0;
  std::uint64_t window = 0, done = 0, total = 0;
};
using ToHead = std::variant<ClaimRank, Left, Finished, TrainerEpoch, AskAgree, Stop, Ending, Drained, LeftOutSum, Watch,
                            View, WantDraw, Drawn, AtWindow, WindowAnswer, ReadingWindow, Arrived, Arriving>;

// ---- from stager 0 to leaders -------------------------------------------------------------------------------------

struct Granted {
  std::uint64_t id = 0;
  Grant grant{};
};
struct ClaimRefused {
  std::uint64_t id = 0;
  std::string text{};
  bool taken = false;  ///< for what a living trainer holds: it may be about to leave
};
/// Whether a trainer may go on where it wants to.
struct AgreeAnswer {
  std::uint32_t local = 0;
  std::uint64_t trainer = 0, number = 0;
  std::string refusal{};  ///< empty: it may
};
/// One trainer of a stream went on from a saved state: the others must follow.
struct StateTaken {
  std::uint32_t stream = 0;
  Resumed state{};
};
/// Each node is to add up what was left out of an epoch, as far as it holds it.
struct AskLeftOut {
  LeftOut what{};
};
struct End {
  std::string reason{};
};
/// Every stager has come to the end.
struct Exit {
  bool audit_failed = false;
};
/// Say how you are doing.
struct Look {};
struct Shown {
  View view{};
};
struct Viewed {
  ServiceFigures service{};
  std::vector<std::string> missing_nodes{};  ///< that did not answer
};
/// Each stager is to draw an epoch, and to say how much it holds of it.
struct AskDraw {
  std::uint32_t stream = 0;
  std::uint64_t epoch = 0;
};
/// How much each stager holds.
struct DrawRows {
  std::uint32_t stream = 0;
  std::uint64_t epoch = 0;
  std::vector<std::uint64_t> rows{};
};
using FromHead = std::variant<Granted, ClaimRefused, AgreeAnswer, StateTaken, AskLeftOut, End, Exit, Look, Shown,
                              Viewed, AskDraw, DrawRows, WindowOrder, ArrivalOrder>;

// ---- from a stager to the leader of its node ----------------------------------------------------------------------

/// The answer to MakeRing.
struct RingMade {
  std::uint32_t stream = 0, ring = 0;
  std::string error{};  ///< empty: it is there
};
/// What of former rings of a place is still in somebody's hands.
struct RingRetired {
  std::uint32_t stream = 0, ring = 0;
  std::uint64_t bytes = 0;
  std::string text{};
};
/// What has become of a ring whose trainer is gone.
struct RingLeft {
  std::uint32_t stream = 0, ring = 0;
  RingState state = RingState::whole;
};
/// How a stager is doing, or a part of its trainers.
struct Figures {
  std::uint32_t local = 0;
  std::vector<TrainerFigures> trainers{};
  bool last = true;  ///< of the figures of this stager: with them comes the rest
  std::uint64_t private_bytes = 0, scratch_read_bytes = 0, window_read_bytes = 0;
  std::vector<FormerRing> retired{};
};
/// This stager ends now, ended by a signal or an error: else the end of its link would be taken for a death.
struct Ended {
  std::string text{};
};
using ToLeader = std::variant<RingMade, RingRetired, RingLeft, Figures, Ended>;

// ---- from a leader to the stagers of its node ---------------------------------------------------------------------

/// A trainer to serve. Carries two descriptors: its socket, and a pidfd of its process.
struct HandOver {
  std::uint32_t stream = 0, ring = 0, rank = 0, world_size = 1;
  std::uint32_t replica = 0;
  bool joins = false;  ///< the other replicas of its trainer, who have the claim; there is no grant
  std::string who{};
  Grant grant{};
};
/// A ring is wanted for a vacant place.
struct MakeRing {
  std::uint32_t stream = 0, ring = 0;
};
/// The service has failed.
struct Dead {
  std::string text{};
};
using ToStager = std::variant<HandOver, MakeRing, AgreeAnswer, StateTaken, End, Exit, Look, Dead, AskDraw, DrawRows,
                              WindowOrder, ArrivalOrder>;

// ---- on the wire --------------------------------------------------------------------------------------------------

/// What a leader hears from the stagers of its node.
using FromStager = std::variant<ToHead, ToLeader>;

std::string encode(const ToHead& message);
std::string encode(const FromHead& message);
std::string encode(const ToLeader& message);
std::string encode(const ToStager& message);

ToHead decode_to_head(std::string_view text);
FromHead decode_from_head(std::string_view text);
FromStager decode_from_stager(std::string_view text);
ToStager decode_to_stager(std::string_view text);

/// For tools and files: with "type", as on the wire.
nlohmann::json document(const View& view);
nlohmann::json document(const Shown& shown);
nlohmann::json document(const Viewed& viewed);

}  // namespace headrace::service::books
