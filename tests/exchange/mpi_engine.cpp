// The engine between real ranks: everybody asks everybody, itself too, with more requests than buffers.
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "exchange/engine.hpp"
#include "tell_all.hpp"

using namespace headrace;
using exchange::Engine;
using exchange::Fetch;
using exchange::Request;
using exchange::Settings;

BOOST_AUTO_TEST_SUITE(engine)

namespace {

/// Bytes of a row: stream 0 has rows of one byte, and so on; odd sizes, and none at all.
constexpr std::array<std::size_t, 5> row_bytes_of{1, 24, 1000, 0, 7};

std::byte byte_of(std::uint32_t stager, std::uint32_t ordinal, std::size_t at) {
  return static_cast<std::byte>(sample_hash(sample_hash(stager) + ordinal) >> at % 8 * 8);
}

/// What any stager answers: the bytes depend on what was asked for alone.
std::size_t pack_now(const Request& request, std::span<std::byte> out) {
  const auto bytes = row_bytes_of.at(request.stream);
  std::size_t used = 0, row = 0;
  for (const auto& segment : request.segments)
    for (std::uint32_t i = 0; i < segment.rows; ++i, ++row)
      for (std::size_t at = 0; at < bytes; ++at) out[used++] = byte_of(segment.run, request.ordinals[row], at);
  return used;
}

/// Half of the requests are packed later, by others, as rows of a disk are.
exchange::Packed pack(const Request& request, std::span<std::byte> out, exchange::Answers::Done done) {
  static Workers disk(2);
  require(request.ordinals.size() * row_bytes_of.at(request.stream) <= out.size(), "too much was asked for");
  if (request.ordinals.size() % 2 == 0) return {.bytes = pack_now(request, out)};
  disk.post([request, out, done = std::move(done)] { done(pack_now(request, out)); });
  return {.complete = false};
}

/// A fetch with memory of its own, cut into blocks at random.
struct Asked {
  Request request;
  std::vector<std::vector<std::byte>> blocks;
  std::atomic<int> arrivals = 0;

  Asked(std::mt19937_64& random, std::size_t answer_bytes) {
    request.stream = static_cast<std::uint32_t>(random() % row_bytes_of.size());
    const auto bytes = row_bytes_of[request.stream];
    auto room = bytes == 0 ? 50 : answer_bytes / bytes;
    for (auto more = random() % 4; more > 0 && room > 0; --more) {
      const auto rows = static_cast<std::uint32_t>(random() % (std::min<std::size_t>(room, 400) + 1));
      request.segments.push_back({static_cast<std::uint32_t>(random() % 9), rows});
      for (std::uint32_t i = 0; i < rows; ++i) request.ordinals.push_back(static_cast<std::uint32_t>(random()));
      room -= rows;
    }
    for (auto left = request.ordinals.size() * bytes; left > 0;) {
      blocks.emplace_back(1 + random() % left);
      left -= blocks.back().size();
    }
  }
  Fetch fetch(int peer, std::function<void()> also) {
    Fetch fetch{peer, request, {}, [this, also = std::move(also)] {
                  ++arrivals;
                  also();
                }};
    for (auto& block : blocks) fetch.into.push_back({block.data(), block.size()});
    return fetch;
  }
  bool right() const {
    std::vector<std::byte> expected(request.ordinals.size() * row_bytes_of[request.stream]), found;
    expected.resize(pack_now(request, expected));
    for (const auto& block : blocks) found.insert(found.end(), block.begin(), block.end());
    return arrivals == 1 && found == expected;
  }
};

/// Runs an engine until every rank has got all it asked for, and has said so to every other.
struct Party {
  const mpi::Comm& world;
  Settings settings;
  Workers workers{2};
  int goodbyes = 0;
  std::atomic<std::size_t> open = 0;
  Engine engine;

  Party(const mpi::Comm& comm, const Settings& wanted)
      : world(comm), settings(wanted), engine(comm, wanted, workers, pack, [this](int, std::string) { ++goodbyes; }) {}

  void one_arrived() {
    if (open.fetch_sub(1) == 1) tell_all(engine, world, "goodbye");
  }
  /// Fetches come from worker threads, as they do in the service.
  std::vector<std::unique_ptr<Asked>> run(std::mt19937_64& random, std::size_t count) {
    std::vector<std::unique_ptr<Asked>> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(std::make_unique<Asked>(random, settings.answer_bytes));
    open = count + 1;
    for (auto& asked : all) {
      const int peer = static_cast<int>(random() % static_cast<unsigned>(world.size()));
      workers.post([this, &asked, peer] { engine.fetch(asked->fetch(peer, [this] { one_arrived(); })); });
    }
    one_arrived();
    engine.run([this] { return goodbyes == world.size(); });
    return all;
  }
};

std::size_t wrong_ones(const std::vector<std::unique_ptr<Asked>>& all) {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& a) { return !a->right(); }));
}

template <class F>
std::string failure_of(F&& f) {
  try {
    f();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_ask_all) {
  const auto world = mpi::Comm::world();
  std::mt19937_64 random(20 + static_cast<unsigned>(world.rank()));
  for (const auto& [answer, sends, receives] :
       {std::tuple{std::size_t{1} << 20, 8u, 16u}, {2000, 1u, 1u}, {50'000, 2u, 3u}}) {
    Settings settings;
    settings.answer_bytes = answer;
    settings.send_buffers = sends;
    settings.receive_buffers = receives;
    Party party(world, settings);
    const auto all = party.run(random, 150);
    BOOST_TEST(wrong_ones(all) == 0u);
    const auto traffic = party.engine.traffic();
    BOOST_TEST(traffic.fetches == all.size());
    BOOST_TEST(traffic.requests <= all.size());
    const auto sent = world.sum(traffic.bytes_sent), received = world.sum(traffic.bytes_received);
    BOOST_TEST(sent == received);
  }
}

BOOST_AUTO_TEST_CASE(what_waits_for_one_peer_goes_as_one_request) {
  const auto self = mpi::Comm::self();
  Workers workers(1);
  const auto requests_for = [&](std::size_t joined_bytes, std::uint32_t other_stream) {
    Settings settings;
    settings.joined_bytes = joined_bytes;
    Engine engine(self, settings, workers, pack, [](int, std::string) {});
    std::array<std::vector<std::byte>, 6> memory;
    std::atomic<std::size_t> left = memory.size();
    std::uint32_t number = 0;
    for (auto& rows : memory) {
      const auto stream = number == 3 ? other_stream : 2u;
      rows.resize(2 * row_bytes_of.at(stream));
      const auto half = rows.size() / 2;
      engine.fetch(
          {0, {stream, {{7, 2}}, {number, number + 100}}, {{rows.data(), half}, {rows.data() + half, half}}, [&] {
             --left;
           }});
      ++number;
    }
    engine.run([&] { return left == 0; });
    for (number = 0; number < memory.size(); ++number)
      for (std::size_t at = 0; at < memory[number].size(); ++at) {
        const auto half = memory[number].size() / 2;
        if (memory[number][at] != byte_of(7, number + (at < half ? 0 : 100), at % half)) return std::uint64_t{0};
      }
    BOOST_TEST(engine.traffic().fetches == memory.size());
    return engine.traffic().requests;
  };
  BOOST_TEST(requests_for(100'000, 2) == 1u);
  BOOST_TEST(requests_for(100'000, 1) == 3u);  // one of another stream stands between
  BOOST_TEST(requests_for(4'000, 2) == 3u);    // two of 2,000 bytes at a time
  BOOST_TEST(requests_for(0, 2) == 6u);
}

BOOST_AUTO_TEST_CASE(small_pieces_come_through_bounce_buffers_while_there_are_some) {
  const auto self = mpi::Comm::self();
  Workers workers(1);
  const auto bounced = [&](unsigned buffers, std::size_t bytes_each, std::size_t rows, bool idle_worker) {
    Settings settings;
    settings.joined_bytes = 0;
    settings.bounce_buffers = buffers;
    settings.bounce_bytes = bytes_each;
    Engine engine(self, settings, workers, pack, [](int, std::string) {});
    const auto over = std::make_shared<std::atomic<bool>>(false);  // the job may begin after the end
    if (!idle_worker) workers.post([over] { over->wait(false); });
    std::vector<std::vector<std::byte>> memory(10, std::vector<std::byte>(rows * 1000));
    std::atomic<std::size_t> left = memory.size();
    std::vector<std::uint32_t> ordinals(rows);
    for (std::uint32_t i = 0; i < rows; ++i) ordinals[i] = i;
    for (auto& answer : memory) {
      std::vector<mpi::Block> blocks;  // from the last row to the first
      for (std::size_t row = rows; row-- > 0;) blocks.push_back({answer.data() + row * 1000, 1000});
      engine.fetch({0, {2, {{3, static_cast<std::uint32_t>(rows)}}, ordinals}, std::move(blocks), [&] { --left; }});
    }
    engine.run([&] { return left == 0; });
    *over = true;
    over->notify_all();
    std::size_t wrong = 0;
    for (const auto& answer : memory)
      for (std::size_t at = 0; at < answer.size(); ++at)
        wrong += answer[at] != byte_of(3, static_cast<std::uint32_t>(rows - 1 - at / 1000), at % 1000);
    BOOST_TEST(wrong == 0u);
    return engine.traffic().bounced;
  };
  BOOST_TEST(bounced(10, 100'000, 30, true) == 10u);
  BOOST_TEST(bounced(10, 100'000, 30, false) == 10u);
  BOOST_TEST(bounced(0, 100'000, 30, true) == 0u);
  BOOST_TEST(bounced(10, 20'000, 30, true) == 0u);  // too large for them
  const auto some = bounced(2, 100'000, 30, true);
  BOOST_TEST((some >= 2u && some < 10u));
}

BOOST_AUTO_TEST_CASE(more_at_once_than_there_are_tags) {
  const auto world = mpi::Comm::world();
  std::mt19937_64 random(30 + static_cast<unsigned>(world.rank()));
  Settings settings;
  settings.answer_bytes = 30;
  settings.send_buffers = 3;
  Party party(world, settings);
  const auto all = party.run(random, 5000);
  BOOST_TEST(wrong_ones(all) == 0u);
}

BOOST_AUTO_TEST_CASE(one_after_another_runs) {
  // The service may run its exchange in stretches: what comes between them is not lost.
  const auto world = mpi::Comm::world();
  std::mt19937_64 random(40 + static_cast<unsigned>(world.rank()));
  Party party(world, {});
  for (int stretch = 0; stretch < 3; ++stretch) {
    party.goodbyes = 0;
    const auto all = party.run(random, 10);
    BOOST_TEST(wrong_ones(all) == 0u);
    world.barrier();
  }
}

BOOST_AUTO_TEST_CASE(control_messages_arrive_with_what_they_say_and_in_order) {
  const auto world = mpi::Comm::world();
  std::vector<int> heard(static_cast<std::size_t>(world.size()));
  int wrong = 0;
  Workers workers(1);
  const auto text = [](int from, int number) {
    // Of those that MPI sends in several steps, and of others, which could pass them.
    const int filling = number % 3 == 0 ? 60'000 : number * 37 % 3000;
    return std::string(static_cast<std::size_t>(filling), 'x') + std::to_string(from * 1000 + number);
  };
  constexpr int count = 200;
  Engine engine(world, {}, workers, pack, [&](int from, std::string said) {
    const int number = heard[static_cast<std::size_t>(from)]++;
    wrong += said != text(from, number);
  });
  std::jthread writer([&] {
    for (int number = 0; number < count; ++number) tell_all(engine, world, text(world.rank(), number));
  });
  engine.run([&] { return std::all_of(heard.begin(), heard.end(), [](int n) { return n == count; }); });
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(what_is_said_before_the_end_still_leaves) {
  // The end and the last words come from another thread, in this order: words, end. No rank may stay behind.
  const auto world = mpi::Comm::world();
  for (int round = 0; round < 100; ++round) {
    std::atomic<bool> over = false;
    Workers workers(1);
    std::unique_ptr<Engine> engine;
    engine = std::make_unique<Engine>(world, Settings{}, workers, pack, [&](int, std::string) { over = true; });
    world.barrier();
    if (world.rank() == 0) {
      workers.post([&] {
        for (int to = 1; to < world.size(); ++to) engine->control(to, "exit");
        over = true;
        engine->wake();
      });
    }
    engine->run([&] { return over.load(); });
    world.barrier();
  }
  BOOST_TEST(true);  // every rank is here
}

BOOST_AUTO_TEST_CASE(orders_given_while_it_asks_whether_it_is_finished) {
  // The narrowest case of the same, without luck: the words come inside finished() itself.
  const auto world = mpi::Comm::world();
  Workers workers(1);
  int heard = 0;
  Engine engine(world, {}, workers, pack, [&](int, std::string) { ++heard; });
  bool said = world.rank() > 0;
  engine.run([&] {
    if (!std::exchange(said, true))
      for (int to = 1; to < world.size(); ++to) engine.control(to, "exit");
    return world.rank() == 0 || heard == 1;
  });
  world.barrier();
  BOOST_TEST(heard == (world.rank() == 0 ? 0 : 1));
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_packed_ends_the_run) {
  const auto self = mpi::Comm::self();
  Workers workers(1);
  Settings settings;
  settings.answer_bytes = 10;
  std::vector<std::byte> memory(1000);
  const auto text = failure_of([&] {
    Engine engine(self, settings, workers, pack, [](int, std::string) {});
    engine.fetch({0, {2, {{0, 1}}, {5}}, {{memory.data(), memory.size()}}, [] {}});
    engine.run([] { return false; });
  });
  BOOST_TEST(text == "too much was asked for");
}

BOOST_AUTO_TEST_CASE(an_answer_of_the_wrong_length_ends_the_run) {
  const auto self = mpi::Comm::self();
  Workers workers(1);
  std::vector<std::byte> memory(100);
  const auto text = failure_of([&] {
    Engine engine(self, {}, workers, pack, [](int, std::string) {});
    engine.fetch(
        {0, {0, {{0, 40}}, std::vector<std::uint32_t>(40)}, {{memory.data(), 60}, {memory.data() + 60, 40}}, [] {}});
    engine.run([] { return false; });
  });
  BOOST_TEST(text == "stager 0 answered 40 bytes instead of 100");
}

BOOST_AUTO_TEST_CASE(who_does_not_answer_is_named) {
  const auto world = mpi::Comm::world();
  Workers workers(1);
  world.name_ranks({"stager 0 on node0", "stager 1 on node0"});
  Settings settings;
  settings.limit_s = 0;
  std::vector<std::byte> memory(40);
  {
    Engine engine(world, settings, workers, pack, [](int, std::string) {});
    if (world.rank() == 0 && world.size() > 1) {  // the others do not run their engines
      engine.fetch({1, {0, {{0, 40}}, std::vector<std::uint32_t>(40)}, {{memory.data(), 40}}, [] {}});
      const auto text = failure_of([&] { engine.run([] { return false; }); });
      BOOST_TEST(text.starts_with("no answer from stager 1 on node0 for 0 s"));
    }
    world.barrier();
  }
}

BOOST_AUTO_TEST_SUITE_END()
