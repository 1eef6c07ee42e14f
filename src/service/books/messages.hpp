// Control messages between stagers that carry more than a word: how a trainer's epoch travels to stager 0, and news of
// a state that one of them went on from travels to all.
#pragma once

#include <nlohmann/json.hpp>

#include "service/books/epoch_book.hpp"
#include "service/books/following.hpp"

namespace headrace::service::books {

inline nlohmann::json to_message(const TrainerEpoch& report) {
  return {{"type", "epoch"},
          {"stream", report.stream},
          {"rank", report.rank},
          {"world_size", report.world_size},
          {"session", report.session},
          {"abandoned", report.abandoned},
          {"epoch", report.tally.epoch},
          {"first", report.tally.first},
          {"low", report.tally.low},
          {"rows", report.tally.rows},
          {"hash", report.tally.hash},
          {"wrong", report.tally.wrong},
          {"seconds", report.seconds},
          {"trainer_wait", report.trainer_wait},
          {"stager_wait", report.stager_wait}};
}

inline TrainerEpoch trainer_epoch_from(const nlohmann::json& json) {
  Tally tally{.epoch = json.at("epoch"), .first = json.at("first"), .low = json.at("low")};
  tally.rows = json.at("rows");
  tally.hash = json.at("hash");
  tally.wrong = json.at("wrong");
  return {.stream = json.at("stream"),
          .rank = json.at("rank"),
          .world_size = json.at("world_size"),
          .session = json.at("session"),
          .abandoned = json.at("abandoned"),
          .tally = std::move(tally),
          .seconds = json.at("seconds"),
          .trainer_wait = json.at("trainer_wait"),
          .stager_wait = json.at("stager_wait")};
}

inline nlohmann::json to_message(const Resumed& state) {
  return {{"number", state.number}, {"epoch", state.at.epoch}, {"step", state.at.step}, {"who", state.who}};
}

inline Resumed resumed_from(const nlohmann::json& json) {
  return {json.at("number"), {json.at("epoch"), json.at("step")}, json.at("who")};
}

}  // namespace headrace::service::books
