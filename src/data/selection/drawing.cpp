#include "data/selection/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.hpp"
#include "config/resample_values.hpp"
#include "data/selection/cell_numbers.hpp"
#include "data/selection/mixing.hpp"
#include "data/selection/questions.hpp"
#include "mpi/agree.hpp"

namespace headrace::data::selection {

namespace {

using Numbers = std::vector<std::uint64_t>;

std::string bytes_of(const Numbers& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(std::uint64_t)};
}

/// Of all stagers, one after another.
std::vector<Numbers> gathered(const mpi::Comm& comm, const Numbers& mine) {
  std::vector<Numbers> all;
  for (const auto& text : comm.allgather(bytes_of(mine))) {
    auto& numbers = all.emplace_back(text.size() / sizeof(std::uint64_t));
    if (!text.empty()) std::memcpy(numbers.data(), text.data(), text.size());
  }
  return all;
}

Numbers summed(const std::vector<Numbers>& all, std::size_t first, std::size_t last, std::size_t size) {
  Numbers sum(size);
  for (auto i = first; i < last; ++i) std::ranges::transform(sum, all[i], sum.begin(), std::plus<>());
  return sum;
}

/// members: of each cell in one slab.
void check_copies(const plan::Draw& draw, const Numbers& members) {
  std::uint64_t most = 0;
  for (std::size_t cell = 0; cell < members.size(); ++cell) {
    const auto& [number, all, wanted] = draw.cells()[cell];
    most += members[cell] * ((wanted + all - 1) / all);
  }
  require(most <= UINT32_MAX, "a stager could deliver its samples " + std::to_string(most) +
                                  " times in an epoch (copies are counted with 32 bits); start more stagers");
}

/// What `run` and `slab` have in common of the cells, for the holder of the slab.
void pack_cells(const std::vector<std::uint16_t>& cells, const plan::Slab& run, const plan::Slab& slab,
                std::uint64_t holder, std::string& parcel) {
  const auto first = std::max(run.first, slab.first), last = std::min(run.last, slab.last);
  if (first >= last) return;
  const std::uint64_t header[] = {holder, first, last};
  parcel.append(reinterpret_cast<const char*>(header), sizeof header);
  parcel.append(reinterpret_cast<const char*>(cells.data() + (first - run.first)), (last - first) * sizeof cells[0]);
}

/// into(holder): the cells of its slab, and its slab.
template <class Into>
void unpack_cells(const std::string& parcel, const Into& into) {
  for (std::size_t at = 0; at < parcel.size();) {
    std::uint64_t header[3];
    std::memcpy(header, parcel.data() + at, sizeof header);
    at += sizeof header;
    plan::DrawnSlab& slab = into(header[0]);
    const auto bytes = (header[2] - header[1]) * sizeof slab.cells[0];
    std::memcpy(slab.cells.data() + (header[1] - slab.slab.first), parcel.data() + at, bytes);
    at += bytes;
  }
}

}  // namespace

std::vector<std::string> lines_of(const StreamDraw& stream) {
  std::vector<std::string> lines;
  if (!stream.draw && !stream.counts) return lines;
  if (!stream.counts) {
    std::uint64_t samples = 0, most = 0;
    for (const auto& cell : stream.draw->cells()) {
      samples += cell.members;
      most = std::max(most, cell.wanted / cell.members);
    }
    lines.push_back(fmt::format("listed: {} distinct, {} repeats (each at most {} times)", samples,
                                stream.draw->positions() - samples, most));
    return lines;
  }
  if (!stream.draw) lines = texts_of(*stream.counts, stream.weights);
  if (stream.draw)
    for (const auto& draw : class_draws(*stream.counts)) lines.push_back(text_of(draw));
  for (const auto& fewer : stream.counts->fewer) lines.push_back("fewer of " + fewer);
  if (stream.outside > 0)
    lines.push_back(
        fmt::format("{} sample{} in none of the bins left out", stream.outside, stream.outside == 1 ? "" : "s"));
  return lines;
}

Drawing::Drawing(const config::Config& config, const catalog::Catalog& catalog, const job::Topology& topology,
                 plan::Slab mine)
    : config_(config),
      catalog_(catalog),
      topology_(topology),
      mine_(mine),
      bins_(config.resample.bins),
      asks_(std::ranges::any_of(config.streams, [&](const auto& stream) { return config::bins(config, stream); })),
      settled_(config.streams.size()) {
  if (asks_) bin_.assign(mine.last - mine.first, no_cell);
}

bool Drawing::asks(std::size_t stream) const {
  return config::bins(config_, config_.streams[stream]);
}

void Drawing::add_columns(SampleColumns& columns) {
  if (asks_) columns_ = columns_of_bins(config_, columns);
}

void Drawing::look(std::uint64_t first, std::span<const std::uint8_t> kept, const SampleColumns& columns) {
  std::vector<const condition::ColumnValues*> values;
  for (const auto column : columns_) values.push_back(&columns.values(column));
  std::vector<std::uint32_t> found(kept.size());
  bins_.find(values, found);
  auto* const bins = bin_.data() + (first - mine_.first);
  for (std::size_t i = 0; i < kept.size(); ++i) bins[i] = kept[i] != 0 ? found[i] : bins[i];
}

/// The first sample of all stagers' parts of which this is said instead of a cell. Collective.
std::uint64_t Drawing::first_of(std::uint32_t what, const SampleCells& cells) const {
  auto first = catalog_.samples;
  cells.each([&](std::size_t begin, std::span<const std::uint32_t> some) {
    const auto found = std::ranges::find(some, what);
    if (found != some.end())
      first = std::min(first, mine_.first + begin + static_cast<std::uint64_t>(found - some.begin()));
  });
  return topology_.all.min(first);
}

void Drawing::check_outside(std::size_t stream, const SampleCells& cells, const CellCounts& counts) {
  for (const auto what : {Bins::nan, Bins::outside}) {
    const auto count = topology_.all.sum(what == Bins::nan ? counts.nan : counts.outside);
    if (count == 0) continue;
    if (what == Bins::outside) settled_[stream].draw.outside = count;
    if (what == Bins::outside && config_.resample.outside == config::Outside::drop) continue;
    const auto first = first_of(what, cells);
    const auto file = catalog_.files.empty() ? 0 : catalog_.file_of(first);
    const auto where = catalog_.files.empty() ? fmt::format("sample {}", first)
                                              : fmt::format("row {} of {}", first - catalog_.files[file].first_sample,
                                                            catalog_.files[file].path);
    std::string variables;
    for (const auto& axis : bins_.axes()) variables += (variables.empty() ? "" : ", ") + name_of(axis);
    const bool one = count == 1, no_number = what == Bins::nan;
    throw UsageError(fmt::format("stream '{}': [resample] {} sample{} {} ({}; the first: {}); {}",
                                 config_.streams[stream].name, count, one ? "" : "s",
                                 no_number
                                     ? (one ? "has NaN where bins need a number" : "have NaN where bins need a number")
                                     : (one ? "is in none of the bins" : "are in none of the bins"),
                                 variables, where,
                                 no_number ? "leave them out with where"
                                           : "widen the bins, or set outside = 'drop' to do without these samples"));
  }
}

void Drawing::settle(std::size_t stream, Bits& bits, std::span<const Bits> classes) {
  const SampleCells cells(bin_, bins_.size(), bits, classes);
  BinCounts counts{names_of(config_.classes), bins_, {}, {}};
  if (counts.classes.empty()) counts.classes.push_back("all");
  const auto size = counts.classes.size() * bins_.size();
  const auto mine = count_cells(cells, size);
  check_outside(stream, cells, mine);
  const auto all = gathered(topology_.all, mine.there);
  counts.there = summed(all, 0, all.size(), size);
  try {
    if (config_.resample.as == config::ResampleAs::weights) return weigh(stream, cells, std::move(counts), bits);
    settle_wanted(config_.resample, counts);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("stream '{}': {}", config_.streams[stream].name, error.what()));
  }
  const auto numbers = make_draw(stream, counts.there, counts.wanted);
  settled_[stream].cells = numbered(cells, numbers, settled_[stream].draw.draw->no_cell());
  settled_[stream].draw.counts = std::make_shared<const BinCounts>(std::move(counts));
  drop_undrawn(stream, bits);
}

/// All samples of the bins come, each with the weight of its cell.
void Drawing::weigh(std::size_t stream, const SampleCells& cells, BinCounts counts, Bits& bits) {
  auto& draw = settled_[stream].draw;
  draw.weights = settle_weights(config_.resample, counts);
  std::vector<std::uint16_t> number(draw.weights.size());
  for (std::size_t cell = 0; cell < number.size(); ++cell) {
    if (counts.there[cell] == 0) continue;
    if (weights_.size() > plan::Draw::most_cells)
      throw UsageError(
          fmt::format("more than {} bins of classes are filled; take coarser bins", plan::Draw::most_cells));
    number[cell] = static_cast<std::uint16_t>(weights_.size());
    weights_.push_back(draw.weights[cell]);
  }
  weight_cells_.resize(cells.size());
  std::uint64_t twice = 0;
  cells.each([&](std::size_t first, std::span<const std::uint32_t> some) {  // whose bits are read before they change
    for (std::size_t k = 0; k < some.size(); ++k) {
      const auto i = first + k;
      if (some[k] == Bins::outside) bits[i / 64] &= ~(std::uint64_t{1} << i % 64);
      if (some[k] >= no_cell) continue;
      twice += weight_cells_[i] != 0;
      weight_cells_[i] = number[some[k]];
    }
  });
  twice = topology_.all.sum(twice);
  if (twice > 0)
    throw UsageError(
        fmt::format("[resample] {} of its samples are those of another stream, too, and a sample has one weight; "
                    "select slices that do not overlap, or set resample = false for one of the streams",
                    twice));
  draw.counts = std::make_shared<const BinCounts>(std::move(counts));
}

std::shared_ptr<const SlabWeights> Drawing::place_weights(const std::vector<plan::Slab>& slabs) const {
  if (weights_.size() == 1) return nullptr;
  std::vector<std::string> parcels(topology_.stagers());
  for (std::uint32_t to = 0; to < topology_.stagers(); ++to)
    pack_cells(weight_cells_, mine_, slabs[to], to, parcels[to]);
  const auto& slab = slabs[topology_.me()];
  plan::DrawnSlab mine{slab, std::vector<std::uint16_t>(slab.last - slab.first), {}};
  for (const auto& parcel : topology_.all.alltoall(parcels))
    unpack_cells(parcel, [&](std::uint64_t) -> plan::DrawnSlab& { return mine; });
  return std::make_shared<const SlabWeights>(SlabWeights{slab, std::move(mine.cells), weights_});
}

/// Cells that are wanted get numbers one after another, which are returned; the others have no_cell().
std::vector<std::uint16_t> Drawing::make_draw(std::size_t stream, const Numbers& members, const Numbers& wanted) {
  const auto begin = fmt::format("stream '{}': ", config_.streams[stream].name);
  std::vector<plan::Draw::Cell> drawn;
  std::vector<std::size_t> numbers(members.size(), SIZE_MAX);
  for (std::size_t cell = 0; cell < members.size(); ++cell) {
    if (members[cell] == 0 || wanted[cell] == 0) continue;
    numbers[cell] = drawn.size();
    require(members[cell] <= plan::Draw::most_members, begin + "a bin of a class has " + std::to_string(members[cell]) +
                                                           " samples (at most 2^32 can be); take finer bins");
    require(wanted[cell] / members[cell] < plan::Draw::most_times,
            begin + "a sample would come " + std::to_string(wanted[cell] / members[cell]) + " times; take fewer");
    drawn.push_back({cell, members[cell], wanted[cell]});
  }
  require(drawn.size() <= plan::Draw::most_cells,
          begin + std::to_string(drawn.size()) + " bins of classes are filled (at most " +
              std::to_string(plan::Draw::most_cells) + " can be); take coarser bins");
  auto& settled = settled_[stream];
  settled.draw.draw = std::make_shared<const plan::Draw>(
      std::move(drawn), plan::draw_key(config_.seed, config_.streams[stream].name), config_.resample.redraw);
  const auto none = settled.draw.draw->no_cell();
  std::vector<std::uint16_t> short_numbers;
  for (const auto number : numbers)
    short_numbers.push_back(static_cast<std::uint16_t>(std::min<std::size_t>(number, none)));
  return short_numbers;
}

Numbers Drawing::before_me(const Numbers& mine) const {
  const auto all = gathered(topology_.all, mine);
  return summed(all, 0, topology_.me(), mine.size());
}

/// Nobody needs to hold what no epoch brings.
void Drawing::drop_undrawn(std::size_t stream, Bits& bits) {
  const auto& [drawn, cells] = settled_[stream];
  const auto& draw = *drawn.draw;
  const bool once = config_.resample.redraw == plan::Draw::Redraw::never;
  std::vector<std::uint32_t> places;
  if (once) {
    const auto before = before_me(count_cells(cells, draw.cells().size()));
    places = plan::places_of(draw, cells, before);
  }
  const auto shares = draw.shares(0);
  const auto none = draw.no_cell();
  for (std::size_t w = 0; w < bits.size(); ++w) {
    std::uint64_t come = 0;
    const auto last = std::min(64 * (w + 1), cells.size());
    if (once)
      for (auto i = 64 * w; i < last; ++i)
        come |= std::uint64_t{shares[cells[i]].base > 0 || shares[cells[i]].takes(places[i])} << i % 64;
    else
      for (auto i = 64 * w; i < last; ++i) come |= std::uint64_t{cells[i] != none} << i % 64;
    bits[w] &= come;
  }
}

void Drawing::settle_list(std::size_t stream, std::span<const std::uint32_t> times) {
  // A cell for each number of times: all of its samples come as often.
  const auto sort_out = [](Numbers numbers) {
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
  };
  Numbers kinds{0};
  for (const auto& theirs : gathered(topology_.all, sort_out({times.begin(), times.end()})))
    kinds.insert(kinds.end(), theirs.begin(), theirs.end());
  kinds = sort_out(std::move(kinds));  // the first is 0: not listed
  Numbers mine(kinds.size());
  std::vector<std::size_t> cell_of;
  for (const auto n : times) {
    cell_of.push_back(static_cast<std::size_t>(std::ranges::lower_bound(kinds, n) - kinds.begin()));
    ++mine[cell_of.back()];
  }
  const auto all = gathered(topology_.all, mine);
  const auto members = summed(all, 0, all.size(), mine.size());
  Numbers wanted;
  for (const auto n : kinds) wanted.push_back(n * members[wanted.size()]);
  const auto numbers = make_draw(stream, members, wanted);
  for (const auto cell : cell_of) settled_[stream].cells.push_back(numbers[cell]);
}

plan::NodeDraw Drawing::place(std::size_t stream, const std::vector<plan::Slab>& slabs) const {
  const auto& [drawn, cells] = settled_[stream];
  const auto& draw = *drawn.draw;
  std::vector<std::string> parcels(topology_.stagers());
  for (std::uint32_t to = 0; to < topology_.stagers(); ++to) {
    const auto& node = topology_.nodes[topology_.node_of(to)];
    for (auto holder = node.first; holder < node.first + node.stagers; ++holder)
      pack_cells(cells, mine_, slabs[holder], holder, parcels[to]);
  }
  const auto& here = topology_.here();
  std::vector<std::shared_ptr<plan::DrawnSlab>> made;
  for (std::uint32_t i = 0; i < here.stagers; ++i) {
    const auto& slab = slabs[here.first + i];
    made.push_back(std::make_shared<plan::DrawnSlab>(
        plan::DrawnSlab{slab, std::vector<std::uint16_t>(slab.last - slab.first, draw.no_cell()), {}}));
  }
  for (const auto& parcel : topology_.all.alltoall(parcels))
    unpack_cells(parcel, [&](std::uint64_t holder) -> plan::DrawnSlab& { return *made[holder - here.first]; });
  // Ranks in the cells: slabs follow each other as their stagers do, and those of this node one another.
  const auto size = draw.cells().size();
  std::vector<Numbers> members;
  for (const auto& slab : made) members.push_back(count_cells(slab->cells, size));
  auto before = before_me(members[topology_.local()]);
  for (std::uint32_t i = 0; i < topology_.local(); ++i)
    std::ranges::transform(before, members[i], before.begin(), std::minus<>());
  const bool any_drawn =
      std::ranges::any_of(draw.cells(), [](const auto& cell) { return cell.wanted % cell.members != 0; });
  plan::NodeDraw node{drawn.draw, here.first};
  mpi::together(topology_.all, [&] {
    for (const auto& of_slab : members) check_copies(draw, of_slab);
  });
  const auto shares = draw.shares(0);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i]->bases = plan::base_sums(shares, made[i]->cells);
    if (any_drawn) made[i]->places = plan::places_of(draw, made[i]->cells, before);
    std::ranges::transform(before, members[i], before.begin(), std::plus<>());
    node.slabs.push_back(std::move(made[i]));
  }
  return node;
}

}  // namespace headrace::data::selection
