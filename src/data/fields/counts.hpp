// What `headrace inspect -c` reads to tell: the sizes of streams that the data decide, and the classes of labels. One
// process, with MPI begun only where something is read. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/selection/choice.hpp"
#include "data/selection/drawing.hpp"
#include "data/selection/shared_samples.hpp"
#include "mpi/session.hpp"
#include "reader/load.hpp"

namespace headrace::data::fields {

class DataCounts {
 public:
  /// Nothing is answered that takes reading so many bytes or more.
  DataCounts(const config::Config& config, const catalog::Contents& contents, std::uint64_t most_bytes);

  struct Streams {
    std::vector<std::uint64_t> sizes;                     ///< samples of each, in an epoch
    std::vector<std::vector<std::uint64_t>> class_sizes;  ///< of each that mixes classes, its samples of each class
    std::vector<selection::SharedSamples> shared;         ///< pairs that have some in common
    std::vector<selection::StreamDraw> draws;             ///< how often the samples of each come
  };
  /// Where the data decide which samples streams have; nothing where they need not be asked, too.
  std::optional<Streams> streams(const catalog::Catalog& catalog, const std::vector<selection::Choice>& choices);
  /// The values of a field's labels.
  std::optional<std::vector<std::string>> labels(const config::FieldConfig& field, const std::string& dataset);
  /// What was begun to read; null where nothing was.
  std::shared_ptr<mpi::Session> session() const { return session_; }

 private:
  bool affords(std::uint64_t bytes);

  const config::Config& config_;
  const catalog::Contents& contents_;
  std::uint64_t most_bytes_;
  std::shared_ptr<mpi::Session> session_;
};

}  // namespace headrace::data::fields
