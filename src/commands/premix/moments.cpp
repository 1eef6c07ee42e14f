#include "commands/premix/moments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace headrace::commands::premix {

namespace {

constexpr std::size_t most_classes = 1000;  // of what is a label, and no number

bool is_label(DType type) {
  return type != DType::boolean && type != DType::float16 && type != DType::float32 && type != DType::float64 &&
         type != DType::bfloat16;
}

/// JSON texts are YAML, whatever the name holds.
std::string quoted(const std::string& name) {
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// With all its digits: a mean of 1.7e9 is wanted to less than the deviation. Readers of YAML 1.1 take numbers with an
/// exponent for texts unless they have a point.
std::string yaml_number(double value) {
  if (!std::isfinite(value)) return ".inf";
  auto text = fmt::format("{}", value);
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return text;
}

/// JSON knows no infinity, which squares of huge values may become.
std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}
double double_of(const nlohmann::json& bits) {
  return std::bit_cast<double>(bits.get<std::uint64_t>());
}

}  // namespace

Moments::Moments(const writing::Layout& layout, const Schema& schema) : layout_(layout), schema_(schema) {
  for (std::size_t t = 0; t < layout_.tables.size(); ++t) {
    const auto& members = layout_.tables[t].dataset.members;
    for (std::size_t m = 0; m < members.size(); ++m)
      if (members[m].name != "valid") variables_.push_back({t, m, is_label(members[m].dtype)});
  }
  counts_.resize(variables_.size());
}

std::vector<double> Moments::values(const formats::Table& table, std::size_t member, std::size_t rows,
                                    std::span<const std::byte* const> fields) const {
  formats::Table one;
  one.dataset = {.path = table.dataset.path, .dtype = DType::float64, .dims = {rows, table.records}};
  one.records = table.records;
  one.parts = {table.parts[member]};
  one.parts[0].to = DType::float64;
  std::vector<double> all(rows * table.records);
  formats::assemble(one, schema_, 0, rows, fields, reinterpret_cast<std::byte*>(all.data()));
  return all;
}

void Moments::add(const writing::Block& block, std::span<const std::byte* const> fields) {
  const auto rows = block.rows;
  std::vector<Sums> sums(variables_.size());
  std::vector<Counts> counts(variables_.size());
  std::vector<double> valid;
  for (std::size_t v = 0; v < variables_.size(); ++v) {
    const auto& table = layout_.tables[variables_[v].table];
    if (v == 0 || variables_[v].table != variables_[v - 1].table) {
      valid.clear();
      for (std::size_t m = 0; m < table.dataset.members.size(); ++m)
        if (table.dataset.members[m].name == "valid") valid = values(table, m, rows, fields);
    }
    auto all = values(table, variables_[v].member, rows, fields);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      if ((valid.empty() || valid[i] != 0) && std::isfinite(all[i])) all[kept++] = all[i];
    if (!variables_[v].label) sums[v].add(all.data(), kept);
    for (std::size_t i = 0; variables_[v].label && i < kept && counts[v].size() <= most_classes; ++i)
      ++counts[v][static_cast<std::int64_t>(all[i])];
  }
  const Lock lock(mutex_);
  blocks_[block.first] = std::move(sums);
  for (std::size_t v = 0; v < counts.size(); ++v)
    for (const auto& [value, count] : counts[v]) counts_[v][value] += count;
}

std::vector<writing::Block> Moments::missing(const mpi::Comm& all, const std::vector<writing::Block>& blocks) {
  auto mine = nlohmann::json::array();
  {
    const Lock lock(mutex_);
    for (const auto& [first, sums] : blocks_) mine.push_back(first);
  }
  std::set<std::uint64_t> there;
  for (const auto& text : all.allgather(mine.dump()))
    for (const auto& first : nlohmann::json::parse(text)) there.insert(first.get<std::uint64_t>());
  std::vector<writing::Block> left;
  std::ranges::copy_if(blocks, std::back_inserter(left),
                       [&](const writing::Block& block) { return there.count(block.first) == 0; });
  return left;
}

void Moments::collect(const mpi::Comm& all) {
  const Lock lock(mutex_);
  nlohmann::json mine{{"counts", counts_}, {"blocks", nlohmann::json::array()}};
  for (const auto& [block, sums] : blocks_) {
    auto one = nlohmann::json::array({block});
    for (const auto& s : sums) one.insert(one.end(), {s.count, bits_of(s.mean), bits_of(s.squares)});
    mine["blocks"].push_back(std::move(one));
  }
  std::map<std::uint64_t, nlohmann::json> blocks;
  total_counts_.assign(variables_.size(), {});
  for (const auto& text : all.allgather(mine.dump())) {
    const auto theirs = nlohmann::json::parse(text);
    for (const auto& one : theirs.at("blocks")) blocks[one.at(0).get<std::uint64_t>()] = one;
    const auto counts = theirs.at("counts").get<std::vector<Counts>>();
    for (std::size_t v = 0; v < counts.size(); ++v)
      for (const auto& [value, count] : counts[v]) total_counts_[v][value] += count;
  }
  total_.assign(variables_.size(), {});
  for (const auto& [number, one] : blocks)
    for (std::size_t v = 0; v < total_.size(); ++v) {
      Sums part;
      part.count = one.at(1 + 3 * v).get<std::uint64_t>();
      part.mean = double_of(one.at(2 + 3 * v));
      part.squares = double_of(one.at(3 + 3 * v));
      total_[v].merge(part);
    }
}

std::string Moments::norm_yaml() const {
  std::ostringstream out;
  for (std::size_t v = 0; v < variables_.size(); ++v) {
    const auto& dataset = layout_.tables[variables_[v].table].dataset;
    if (v == 0 || variables_[v].table != variables_[v - 1].table) out << quoted(dataset.path) << ":\n";
    if (variables_[v].label) continue;
    const double deviation = total_[v].deviation();
    out << fmt::format("  {}: {{mean: {}, std: {}}}\n", quoted(dataset.members[variables_[v].member].name),
                       yaml_number(total_[v].mean), yaml_number(deviation > 0 ? deviation : 1));
  }
  return out.str();
}

std::string Moments::class_yaml() const {
  std::ostringstream out;
  for (std::size_t v = 0; v < variables_.size(); ++v) {
    const auto& dataset = layout_.tables[variables_[v].table].dataset;
    if (v == 0 || variables_[v].table != variables_[v - 1].table) out << quoted(dataset.path) << ":\n";
    const auto& counts = total_counts_[v];
    if (!variables_[v].label || counts.empty() || counts.size() > most_classes) continue;
    std::uint64_t most = 0;
    for (const auto& [value, count] : counts) most = std::max(most, count);
    std::vector<std::string> weights;
    for (const auto& [value, count] : counts)
      weights.push_back(yaml_number(static_cast<double>(most) / static_cast<double>(count)));
    out << fmt::format("  {}: [{}]\n", quoted(dataset.members[variables_[v].member].name), fmt::join(weights, ", "));
  }
  return out.str();
}

std::string Moments::label_counts() const {
  auto counts = nlohmann::json::object();
  for (std::size_t v = 0; v < variables_.size(); ++v) {
    const auto& dataset = layout_.tables[variables_[v].table].dataset;
    if (dataset.members[variables_[v].member].name != "flavour_label") continue;
    for (const auto& [value, count] : total_counts_[v]) counts[std::to_string(value)] = count;
  }
  return counts.dump();
}

}  // namespace headrace::commands::premix
