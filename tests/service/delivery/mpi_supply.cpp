// Supply, exchange and store between real ranks: batches of random shares, every byte checked.
#include <atomic>
#include <boost/test/unit_test.hpp>

#include "base/error.hpp"
#include "service/delivery/stagers.hpp"
#include "tell_all.hpp"

using namespace service_test;

BOOST_AUTO_TEST_SUITE(supplying)

namespace {

constexpr std::byte untouched{0xee};

/// One batch with memory of its own, and room behind each array that must stay as it is.
struct Filling {
  Order order;
  std::vector<std::int64_t> index;
  std::vector<std::vector<std::byte>> fields;
  std::atomic<int> done = 0;

  Filling(std::mt19937_64& random, const Blueprint& drawn, std::uint32_t stream) {
    const auto trainers = static_cast<std::uint32_t>(1 + random() % 3);
    const auto& facts = drawn.streams[stream];
    const auto schedule = facts.schedule(facts.last == plan::Last::drop ? 1 : trainers);
    order.stream = stream;
    order.share =
        schedule.share(random() % schedule.steps(), static_cast<std::uint32_t>(random() % schedule.trainers()));
    if (facts.shuffle == plan::Shuffle::global) order.epoch_order = facts.epoch_order(3, random() % 4);
    if (random() % 2)
      order.row_order = random();
    else
      order.drawn = random() % 2;
    const std::size_t rows = order.share.rows + order.share.padding;
    index.assign(rows + 1, -1);
    for (const auto& field : drawn.schema) fields.emplace_back(rows * field.row_bytes() + 8, untouched);
  }
  Target target() {
    Target target{index.data(), {}};
    for (auto& field : fields) target.fields.push_back(field.data());
    return target;
  }
  std::uint64_t wrong(const Blueprint& drawn) const {
    auto expected = expected_samples(drawn, order.stream, order.share, order.epoch_order.get(), order.drawn);
    if (order.row_order) {  // the real rows only
      const auto sorted = expected;
      const plan::Permutation within(order.share.rows, *order.row_order);
      for (std::uint32_t i = 0; i < order.share.rows; ++i) expected[within(i)] = sorted[i];
    }
    auto count = wrong_in_batch(drawn, expected, index.data(), [&](std::size_t f) { return fields[f].data(); });
    count += index.back() != -1;
    for (const auto& field : fields) count += field.back() != untouched;
    return count + (done != 1);
  }
};

std::vector<StreamConfig> random_streams(std::mt19937_64& random, std::uint64_t samples) {
  return {stream("train", random_select(random, samples), static_cast<std::uint32_t>(1 + random() % 300),
                 plan::Shuffle::global, plan::Last::pad),
          stream("val", random_select(random, samples), static_cast<std::uint32_t>(1 + random() % 300),
                 plan::Shuffle::none, plan::Last::partial),
          stream("mixed", "", static_cast<std::uint32_t>(1 + random() % 300), plan::Shuffle::global, plan::Last::pad)};
}

/// Some classes, some of them more than once an epoch.
void mix_last(Blueprint& drawn, std::mt19937_64& random) {
  std::vector<std::uint64_t> shares(1 + random() % std::min<std::uint64_t>(4, drawn.catalog.samples));
  for (auto& share : shares) share = 1 + random() % 4;
  make_mixed(drawn, 2, shares, random() % 2 ? plan::Mix::Within::batch : plan::Mix::Within::epoch,
             1 + random() % (2 * drawn.catalog.samples));
}

/// Fills `count` batches at once, while the others do the same.
void fill_all(Stager& stager, std::mt19937_64& random, std::size_t answer_bytes, unsigned send_buffers,
              std::size_t count) {
  Workers workers(2);
  exchange::Settings settings;
  settings.answer_bytes = std::max(answer_bytes, stager.supply->answer_row_bytes());
  settings.send_buffers = send_buffers;
  int goodbyes = 0;
  std::atomic<std::size_t> open = count;
  exchange::Engine engine(
      stager.topology.all, settings, workers,
      [&](const exchange::Request& request, std::span<std::byte> out, exchange::Answers::Done done) {
        return stager.supply->pack(request, out, std::move(done));
      },
      [&](int, std::string) { ++goodbyes; });
  stager.supply->connect(engine);
  stager.topology.all.barrier();
  std::vector<std::unique_ptr<Filling>> all;
  const auto filled = [&](Filling& one) {
    ++one.done;
    if (open.fetch_sub(1) == 1) tell_all(engine, stager.topology.all, "done");
  };
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(std::make_unique<Filling>(random, stager.drawn, static_cast<std::uint32_t>(random() % 3)));
    workers.post([&, one = all.back().get()] {
      if (stager.supply->fill(one->order, one->target(), [&, one] { filled(*one); })) filled(*one);
    });
  }
  engine.run([&] { return goodbyes == stager.topology.all.size(); });
  std::uint64_t wrong = 0;
  for (const auto& one : all) wrong += one->wrong(stager.drawn);
  BOOST_TEST(wrong == 0u);
}

void rounds(bool split_nodes, double in_memory = 1) {
  const auto world = mpi::Comm::world();
  std::mt19937_64 shared(50), own(60 + static_cast<unsigned>(world.rank()));
  for (int round = 0; round < 6; ++round) {
    const auto samples = round == 0 ? 3 : 1 + shared() % 3000;  // 3: more stagers than samples
    std::vector<double> weights(static_cast<std::size_t>(world.size()));
    for (auto& weight : weights) weight = static_cast<double>(shared() % 3);
    weights[shared() % weights.size()] = 2;
    const auto streams = random_streams(shared, samples);
    Stager stager(world, split_nodes, samples, streams, weights, 1 + shared() % 20, in_memory);
    mix_last(stager.drawn, shared);
    BOOST_TEST(stager.supply->is_whole() == (stager.topology.nodes.size() == 1));
    for (const std::size_t answer_bytes : {1, 5000, 1 << 20})
      fill_all(stager, own, answer_bytes, answer_bytes == 1 ? 1 : 4, answer_bytes == 1 ? 4 : 12);
  }
}

/// A request that the first stager of this node can pack: all rows of its first stream.
exchange::Request good_request(const Stager& stager) {
  const auto me = stager.topology.me();
  const auto first = stager.drawn.strata[0].first_ordinals();
  exchange::Request request{0, {{me, static_cast<std::uint32_t>(first[me + 1] - first[me])}}, {}};
  for (std::uint32_t i = 0; i < request.segments[0].rows; ++i) request.ordinals.push_back(i);
  return request;
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_node_of_several_stagers) {
  rounds(false);
}

BOOST_AUTO_TEST_CASE(every_stager_a_node) {
  rounds(true);
}

BOOST_AUTO_TEST_CASE(one_node_with_a_disk) {
  rounds(false, 0.4);
}

BOOST_AUTO_TEST_CASE(every_stager_a_node_with_a_disk) {
  rounds(true, 0.4);
}

BOOST_AUTO_TEST_CASE(what_is_packed_says_what_it_is) {
  const Stager stager(mpi::Comm::world(), true, 500,
                      {stream("train", "3:400,450:", 20, plan::Shuffle::global, plan::Last::drop)});
  const auto request = good_request(stager);
  const auto rows = request.ordinals.size();
  std::vector<std::byte> out(rows * stager.supply->answer_row_bytes());
  BOOST_TEST(stager.supply->pack(request, out, {}).bytes == out.size());
  std::vector<std::int64_t> index(rows), expected;
  std::memcpy(index.data(), out.data(), rows * sizeof(std::int64_t));
  const auto first = stager.drawn.strata[0].first_ordinals();
  for (std::uint64_t i = 0; i < rows; ++i)
    expected.push_back(static_cast<std::int64_t>(
        stager.drawn.strata[0].sets()[0].selection()->sample({first[stager.topology.me()] + i}).value));
  std::vector<std::size_t> begin{rows * sizeof(std::int64_t)};
  for (const auto& field : stager.drawn.schema) begin.push_back(begin.back() + rows * field.row_bytes());
  BOOST_TEST(
      wrong_in_batch(stager.drawn, expected, index.data(), [&](std::size_t f) { return out.data() + begin[f]; }) == 0u);
}

BOOST_AUTO_TEST_CASE(requests_that_make_no_sense_are_refused) {
  const Stager stager(mpi::Comm::world(), true, 500,
                      {stream("train", "3:400,450:", 20, plan::Shuffle::global, plan::Last::drop)});
  const auto me = stager.topology.me();
  const auto good = good_request(stager);
  std::vector<std::byte> out(good.ordinals.size() * stager.supply->answer_row_bytes());
  const auto refused = [&](auto&& damage) {
    auto request = good;
    auto room = std::span(out);
    damage(request, room);
    try {
      stager.supply->pack(request, room, {});
    } catch (const Error& error) {
      return std::string(error.what()).starts_with("another stager asks for rows that this one does not have");
    }
    return false;
  };
  using exchange::Request;
  using Room = std::span<std::byte>;
  BOOST_TEST(!refused([](Request&, Room&) {}));
  BOOST_TEST(refused([](Request& r, Room&) { r.stream = 1; }));
  BOOST_TEST(refused([](Request& r, Room&) { r.stream = 0xffffffff; }));
  BOOST_TEST(refused([&](Request& r, Room&) { r.segments[0].run = stager.topology.stagers(); }));
  BOOST_TEST(refused([&](Request& r, Room&) { r.segments[0].run = 0xffffffff; }));
  if (stager.topology.nodes.size() > 1)
    BOOST_TEST(refused([&](Request& r, Room&) { r.segments[0].run = me == 0 ? 1 : me - 1; }));
  BOOST_TEST(refused([](Request& r, Room&) { r.ordinals.back() += 1; }));
  BOOST_TEST(refused([](Request& r, Room&) { r.ordinals.back() = 0xffffffff; }));
  BOOST_TEST(refused([](Request& r, Room&) { std::swap(r.ordinals[10], r.ordinals[30]); }));
  BOOST_TEST(refused([](Request&, Room& room) { room = room.first(room.size() - 1); }));
  BOOST_TEST(!refused([](Request& r, Room&) { r.ordinals[10] = r.ordinals[11]; }));  // padding repeats
}

BOOST_AUTO_TEST_SUITE_END()
