// A trainer and the feed that serves it, both in this process; the bell is answered by a thread, as the host does.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.hpp"
#include "ipc/poller.hpp"
#include "ring/consumer.hpp"
#include "service/delivery/feed.hpp"
#include "service/delivery/stagers.hpp"

namespace service_test {

using namespace headrace::service::books;

/// For cases in which each rank has a stager of its own: many would only stand in each other's way.
inline boost::test_tools::assertion_result few_ranks(boost::unit_test::test_unit_id) {
  return mpi::Comm::world().size() <= 2;
}

/// A ring that outlives its trainers, and who answers its bell.
struct Berth {
  ring::Producer ring;
  ipc::Bell bell = ipc::Bell::make();
  std::mutex mutex;
  std::shared_ptr<Feed> feed;
  std::atomic<bool> quit = false;
  std::thread doorman;

  Berth(const Schema& schema, std::uint32_t batch, std::uint32_t slots, Workers& workers)
      : ring("test-feed", schema, ring::Producer::ring_bytes(schema, batch, slots), 1), doorman([this, &workers] {
          ipc::Poller poller;
          poller.add(bell.fd(), [&] {
            bell.drain();
            const std::lock_guard lock(mutex);
            if (feed) workers.post([pumped = feed] { pumped->pump(); });
          });
          while (!quit) poller.wait(std::chrono::milliseconds(100));
        }) {}
  ~Berth() {
    quit = true;
    bell.ring();
    doorman.join();
  }
};

/// What the feed reports.
struct Reports {
  std::mutex mutex;
  std::vector<EpochReport> epochs;
  std::vector<std::string> violations;
};

struct Trainer {
  Stager& stager;
  Berth& berth;
  std::uint32_t stream, rank;
  plan::Schedule schedule;
  std::shared_ptr<Reports> reports = std::make_shared<Reports>();
  std::shared_ptr<Feed> feed;
  std::optional<ring::Consumer> consumer;
  std::uint64_t wrong = 0;

  static constexpr std::uint64_t seed = 9;

  Trainer(Stager& s, Berth& b, Workers& workers, std::uint32_t of_stream, std::uint32_t of_rank, std::uint32_t world,
          const Ledger& ledger, std::uint32_t slots)
      : stager(s), berth(b), stream(of_stream), rank(of_rank), schedule(s.drawn.streams[of_stream].schedule(world)) {
    berth.ring.configure(schedule.batch(), 1, slots);
    feed = std::make_shared<Feed>(*stager.supply, workers, berth.ring,
                                  Feed::Recipient{stream, rank, stager.drawn.streams[stream].name, seed, true},
                                  schedule, ledger,
                                  Feed::Events{.epoch_done =
                                                   [to = reports](const EpochReport& report) {
                                                     const std::lock_guard lock(to->mutex);
                                                     to->epochs.push_back(report);
                                                   },
                                               .violation =
                                                   [to = reports](std::uint32_t, const std::string& what) {
                                                     const std::lock_guard lock(to->mutex);
                                                     to->violations.push_back(what);
                                                   }});
    {
      const std::lock_guard lock(berth.mutex);
      berth.feed = feed;
    }
    consumer.emplace(berth.ring.fd(), berth.bell.duplicate(), stager.drawn.schema,
                     ring::Geometry{berth.ring.bytes(), berth.ring.slots(), schedule.batch(), 1});
    workers.post([f = feed] { f->pump(); });
  }

  /// The next batch; nothing at the end of the stream. Checks every byte of it.
  std::optional<ring::Lease> take() {
    ring::Lease lease;
    for (;;) switch (consumer->try_acquire(lease)) {
        case ring::Acquired::batch:
          check(lease);
          return lease;
        case ring::Acquired::end:
          return std::nullopt;
        case ring::Acquired::exhausted:
          throw Error("all slots are held");
        case ring::Acquired::nothing:
          consumer->wait(std::chrono::milliseconds(200));
      }
  }
  void check(const ring::Lease& lease) {
    const auto share = schedule.share(lease.step, rank);
    const auto& facts = stager.drawn.streams[stream];
    std::optional<plan::EpochOrder> order;
    if (facts.shuffle == plan::Shuffle::global)
      order.emplace(facts.samples, plan::epoch_key(seed, facts.name, lease.epoch));
    const auto expected = expected_samples(stager.drawn, stream, share, order ? &*order : nullptr);
    wrong += lease.rows != share.rows || lease.filled != expected.size();
    wrong += wrong_in_batch(stager.drawn, expected, consumer->index(lease.slot),
                            [&](std::size_t f) { return consumer->field(lease.slot, f); });
  }
  /// A lease is writable: what the trainer leaves behind must not matter.
  void scribble(std::uint32_t slot) {
    std::memset(consumer->index(slot), 0x5a, consumer->layout().batch() * sizeof(std::int64_t));
    std::memset(consumer->field(slot, 0), 0x5a, stager.drawn.schema[0].row_bytes() * consumer->layout().batch());
  }
  void release(const ring::Lease& lease) {
    scribble(lease.slot);
    consumer->release(lease.slot, true);
  }
  std::vector<Tally> seek(Step to) { return feed->seek(consumer->seek().generation, to); }

  /// Ends the feed as the stager does, and hands the ring back. Returns what whoever comes next begins with.
  Ledger end() {
    const auto idle = std::make_shared<std::promise<void>>();
    feed->close([idle] { idle->set_value(); });
    idle->get_future().wait();
    consumer.reset();
    {
      const std::lock_guard lock(berth.mutex);
      berth.feed.reset();
    }
    berth.ring.reclaim_all();
    auto ledger = feed->ledger();
    ledger.rewind();
    return Ledger::from_json(ledger.to_json());
  }
};

}  // namespace service_test
