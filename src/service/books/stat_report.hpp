// What `headrace stat` makes of the figures of all nodes: sums per stream, who is slowest, and a table for people. Pure
// functions.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace headrace::service::books {

/// What all nodes said, one answer after the other, as one document.
class Collected {
 public:
  /// An answer to "stat": of type "view", or "viewed", which is the last. The document once it is complete.
  std::optional<nlohmann::json> take(nlohmann::json answer);

 private:
  nlohmann::json nodes_ = nlohmann::json::array(), trainers_ = nlohmann::json::array();
};

/// The document with "streams" completed: per stream the position of the first and the last trainer, "gbps",
/// "trainer_wait" and "stager_wait" (means of shares of the last seconds), and "slowest": the trainer that waited least
/// for batches, "behind": the one furthest back, "starved": the one that waits most, with its stager. Absent where
/// nobody is attached. view: what the service said, with "trainers" of all nodes and "nodes_seen".
nlohmann::json summary(const nlohmann::json& view);

/// rows: how many trainers are listed one by one at most.
std::string stat_text(const nlohmann::json& summary, std::size_t rows);

std::size_t rows_of_terminal();
/// The text preceded and parted by what makes a terminal overwrite the last one.
std::string on_screen(const std::string& text);

}  // namespace headrace::service::books
