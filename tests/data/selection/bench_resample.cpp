// What resampling costs: the pass at the start (bins, cells, counts, places on the rings), and what an epoch costs (drawing
// it, finding its samples), beside copying its rows. One thread, and its own time. No test, because nothing here asserts a time.
//
//   bench_resample [SAMPLES] [ROW_BYTES]
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "base/copy_rows.hpp"
#include "config/resample_values.hpp"
#include "data/selection/cell_numbers.hpp"
#include "data/selection/wanted.hpp"
#include "plan/epoch_order.hpp"
#include "plan/node_draw.hpp"

namespace {

using namespace headrace;

/// Of this thread on its processor: what others do at the time counts little.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// The best of three.
template <class Work>
double seconds(const Work& work) {
  double best = 1e300;
  for (int i = 0; i < 3; ++i) {
    const auto begin = now();
    work();
    best = std::min(best, now() - begin);
  }
  return best;
}

void tell(const char* what, std::uint64_t samples, double time) {
  fmt::print("{:34} {:8.2f} ns a sample  {:8.1f} M samples/s\n", what, 1e9 * time / static_cast<double>(samples),
             static_cast<double>(samples) / time / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t samples = argc > 1 ? std::stoull(argv[1]) : 8'000'000;
  const std::uint64_t row_bytes = argc > 2 ? std::stoull(argv[2]) : 512;
  std::mt19937_64 random(1);
  std::vector<double> pt(samples), eta(samples);
  std::vector<std::uint8_t> flavour(samples);
  std::gamma_distribution<double> gamma(2.5, 25e3);
  std::uniform_real_distribution<double> flat(-2.5, 2.5);
  for (std::uint64_t i = 0; i < samples; ++i) {
    pt[i] = std::min(gamma(random), 999e3);
    eta[i] = flat(random);
    flavour[i] = static_cast<std::uint8_t>(random() % 10 < 7 ? 2 : random() % 2);
  }
  const data::selection::Bins bins(
      config::bin_axes({{"pt = 0:250e3:50, 250e3:1e6:15", "abs(eta) = 0:2.5:10"}, "bins"}));
  const condition::ColumnValues first(std::move(pt)), second(std::move(eta));
  const std::vector<const condition::ColumnValues*> values{&first, &second};
  std::vector<std::uint32_t> bin(samples);
  const auto binning = seconds([&] { bins.find(values, bin); });
  tell("bins of two variables", samples, binning);

  data::selection::BinCounts counts{{"b", "c", "u"}, bins, {}, {}};
  const auto size = std::size_t{3} * bins.size();
  std::vector<std::uint64_t> all((samples + 63) / 64, ~std::uint64_t{0});
  std::vector<std::vector<std::uint64_t>> classes(3, std::vector<std::uint64_t>(all.size()));
  for (std::uint64_t i = 0; i < samples; ++i) classes[flavour[i]][i / 64] |= std::uint64_t{1} << i % 64;
  const data::selection::SampleCells of_class(bin, bins.size(), all, classes);
  const auto counting = seconds([&] { counts.there = data::selection::count_cells(of_class, size).there; });
  tell("counts of classes and bins", samples, counting);
  config::ResampleConfig config;
  config.target = "min";
  config.samples = {0, samples / 4};
  settle_wanted(config, counts);
  std::vector<plan::Draw::Cell> cells;
  std::vector<std::uint16_t> number(counts.there.size(), UINT16_MAX);
  for (std::size_t c = 0; c < counts.there.size(); ++c)
    if (counts.wanted[c] > 0) {
      number[c] = static_cast<std::uint16_t>(cells.size());
      cells.push_back({c, counts.there[c], counts.wanted[c]});
    }
  for (auto& one : number) one = std::min(one, static_cast<std::uint16_t>(cells.size()));
  const auto draw = std::make_shared<const plan::Draw>(cells, 7, plan::Draw::Redraw::epoch);
  auto slab = std::make_shared<plan::DrawnSlab>(plan::DrawnSlab{{0, samples}, {}, {}});
  const auto numbering = seconds([&] { slab->cells = data::selection::numbered(of_class, number, draw->no_cell()); });
  tell("numbers of cells", samples, numbering);
  const std::vector<std::uint64_t> before(cells.size());
  const auto placing = seconds([&] { slab->places = plan::places_of(*draw, slab->cells, before); });
  tell("places on rings", samples, placing);
  const auto basing = seconds([&] { slab->bases = plan::base_sums(draw->shares(0), slab->cells); });
  tell("what comes of each cell alike", samples, basing);
  tell("the pass at the start, in all", samples, binning + counting + numbering + placing + basing);

  const plan::NodeDraw node{draw, 0, {slab}};
  std::shared_ptr<const std::vector<plan::Multiset>> drawn;
  const auto drawing = seconds([&] { drawn = node.epoch(5); });
  tell("drawing an epoch", samples, drawing);

  const auto& multiset = (*drawn)[0];
  const auto copies = multiset.size();
  fmt::print("{} positions in {} cells\n", copies, cells.size());
  constexpr std::size_t batch = 4096;
  std::vector<std::byte> store(samples * row_bytes, std::byte{1}), slot(batch * row_bytes);
  const plan::EpochOrder order(copies, 3);
  double finding = 0, copying = 0;
  std::vector<std::uint64_t> ordinals(batch);
  std::vector<std::int64_t> found(batch);
  std::vector<std::uint32_t> rows(batch);
  const auto batches = copies / batch;
  for (std::uint64_t b = 0; b < batches; ++b) {
    order.evaluate(b * batch, ordinals);
    std::ranges::sort(ordinals);
    auto begin = now();
    multiset.samples(ordinals, 0, found);
    finding += now() - begin;
    for (std::size_t i = 0; i < batch; ++i) rows[i] = static_cast<std::uint32_t>(found[i]);
    begin = now();
    copy_rows(store.data(), row_bytes, rows, slot.data(), Reuse::later);
    copying += now() - begin;
  }
  tell("finding a batch's samples", batches * batch, finding);
  tell("copying their rows", batches * batch, copying);
  fmt::print("drawing an epoch is {:.2f} % of copying its rows of {} B\n", 100 * drawing / copying, row_bytes);
}
