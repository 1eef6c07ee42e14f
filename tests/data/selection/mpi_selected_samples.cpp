#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "data/made.hpp"
#include "data/selection/selected_samples.hpp"
#include "plan/permutation.hpp"

using namespace service_test;
using namespace headrace::data::selection;
using namespace headrace::job;

namespace {

catalog::Catalog files_of(std::uint64_t samples, std::uint64_t chunk_rows) {
  auto made = service_test::catalog(samples, chunk_rows);
  made.files = {{.path = "a.h5", .first_sample = 0, .samples = samples / 3},
                {.path = "b.h5", .first_sample = samples / 3, .samples = samples - samples / 3}};
  return made;
}

}  // namespace

BOOST_AUTO_TEST_CASE(parts_are_disjoint_and_complete_on_any_number_of_stagers) {
  const auto world = mpi::Comm::world();
  for (const bool split_nodes : {false, true}) {
    const auto topology = Topology::discover(world, split_nodes);
    std::mt19937_64 random(31);
    for (int round = 0; round < 12; ++round) {
      const auto samples = 300 + random() % 5000;
      Config config;
      config.seed = random();
      config.split = {{"train", 0.7}, {"val", 0.2}, {"test", 0.1}};
      config.streams = {stream("train", "train", 1, plan::Shuffle::global, plan::Last::drop),
                        stream("val", "val", 1, plan::Shuffle::none, plan::Last::drop),
                        stream("test", "test", 1, plan::Shuffle::none, plan::Last::drop)};
      if (round % 3 == 1) config.streams.push_back(stream("some", "5:20", 1, plan::Shuffle::none, plan::Last::drop));
      if (round % 3 == 2) config.streams.erase(config.streams.begin());  // not all are stored
      const auto data = files_of(samples, 1 + random() % 30);
      const reader::LoadOptions options;
      const SelectedSamples selected(config, {}, data, choose(config, data), topology, options);
      std::vector<double> weights(topology.stagers());
      for (auto& weight : weights) weight = 1 + static_cast<double>(random() % 3);
      const auto drawn = selected.place(selected.divide(weights));

      // What this stager knows of its own slab, all together.
      const auto me = topology.me();
      const auto& slab = drawn.placement.slab(me);
      std::vector<std::uint64_t> count(samples);
      for (auto sample = slab.first; sample < slab.last; ++sample) {
        for (std::size_t s = 0; s < config.streams.size(); ++s)
          if (config.streams[s].name != "some") count[sample] += drawn.strata[s].sets()[0].contains(me, sample);
        BOOST_TEST(drawn.placement.stored().contains(me, sample) ==
                   (count[sample] > 0 || (round % 3 == 1 && sample >= 5 && sample < 20)));
      }
      std::uint64_t found = 0;
      for (auto& n : count) {
        n = world.sum(n);
        BOOST_TEST(n <= 1);
        found += n;
      }
      std::uint64_t sizes = 0;
      for (std::size_t s = 0; s < config.streams.size(); ++s)
        if (config.streams[s].name != "some") sizes += selected.sizes()[s];
      BOOST_TEST(found == sizes);
      BOOST_TEST((round % 3 == 2 || found == samples));
      BOOST_TEST(world.sum(drawn.placement.rows(me)) == selected.stored());
      // Neighbours on the node are known, too.
      const auto& here = topology.here();
      for (auto stager = here.first; stager < here.first + here.stagers; ++stager)
        BOOST_TEST(drawn.strata[0].sets()[0].known(stager));
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_that_streams_share_are_counted_over_all_stagers) {
  const auto world = mpi::Comm::world();
  const auto topology = Topology::discover(world, false);
  const std::uint64_t samples = 4001;
  Config config;
  config.split = {{"most", 0.7}, {"rest", 0.3}};
  for (const auto* select : {":3000", "2000:", "most", "rest", "::7", ":3000"})
    config.streams.push_back(
        stream("s" + std::to_string(config.streams.size()), select, 1, plan::Shuffle::none, plan::Last::drop));
  const auto data = files_of(samples, 17);
  const reader::LoadOptions options;
  const SelectedSamples selected(config, {}, data, choose(config, data), topology, options);
  // The same by asking each sample.
  const auto choices = choose(config, data);
  const plan::Permutation order(samples, split_key(config.seed));
  const auto delivers = [&](std::size_t s, std::uint64_t sample) {
    const auto& choice = choices[s];
    const auto position = order.inverse(sample);
    return choice.selection.contains({sample}) &&
           (!choice.part || (position >= choice.part->first && position < choice.part->last));
  };
  std::size_t pairs = 0;
  for (std::size_t a = 0; a < choices.size(); ++a)
    for (std::size_t b = a + 1; b < choices.size(); ++b) {
      std::uint64_t both = 0, found = 0;
      for (std::uint64_t sample = 0; sample < samples; ++sample) both += delivers(a, sample) && delivers(b, sample);
      for (const auto& shared : selected.shared())
        if (shared.first == choices[a].stream && shared.second == choices[b].stream) found = shared.samples;
      BOOST_TEST(found == both, choices[a].stream << " and " << choices[b].stream);
      pairs += both > 0 ? 1 : 0;
    }
  BOOST_TEST(pairs == selected.shared().size());
  BOOST_TEST(pairs == 14u);  // but for the two parts
}

BOOST_AUTO_TEST_CASE(slices_count_within_files) {
  const auto world = mpi::Comm::world();
  const auto data = files_of(300, 1);
  Config config;
  config.streams = {stream("a", "-50::7", 1, plan::Shuffle::none, plan::Last::drop)};
  config.streams[0].files = {"b.h5"};
  auto choices = choose(config, data);
  BOOST_TEST((choices[0].selection == plan::Selection::parse("250:300:7", 300)));
  config.streams[0].files = {"a.h5", "b.h5"};
  config.streams[0].select = "90:120:7";
  choices = choose(config, data);
  BOOST_TEST((choices[0].selection == plan::Selection::parse("90:120:7", 300)));
  config.streams[0].files = {"c.h5"};
  BOOST_CHECK_EXCEPTION(choose(config, data), UsageError, [](const auto& error) {
    return std::string(error.what()).find("none of the service's files") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_list_with_repeats_is_a_multiset_on_any_number_of_stagers) {
  const auto world = mpi::Comm::world();
  const auto path = std::filesystem::temp_directory_path() / ("repeats" + world.bcast(std::to_string(getpid())));
  std::mt19937_64 random(37);  // the same on all
  for (int round = 0; round < 6; ++round) {
    const auto topology = Topology::discover(world, round % 2 == 0);
    const auto samples = 300 + random() % 3000;
    std::vector<std::uint64_t> times(samples);
    std::string listed;
    for (int i = 0; i < 500; ++i) {
      const auto sample = random() % (i % 2 == 0 ? samples : 40);
      ++times[sample];
      listed += std::to_string(sample) + "\n";
    }
    world.barrier();
    if (world.rank() == 0) std::ofstream(path) << listed;
    world.barrier();
    Config config;
    config.streams = {stream("some", "", 1, plan::Shuffle::none, plan::Last::drop),
                      stream("all", "", 1, plan::Shuffle::none, plan::Last::drop)};
    config.streams[0].select_file = path;
    config.streams[0].select_by = "index";
    config.streams[0].select_repeats = true;
    const auto data = files_of(samples, 7);
    const reader::LoadOptions options;
    const SelectedSamples selected(config, {}, data, choose(config, data), topology, options);
    BOOST_TEST(selected.positions()[0] == 500u);
    BOOST_TEST(selected.positions()[1] == samples);
    const auto placed = selected.place(selected.divide(std::vector<double>(topology.stagers(), 1.0)));
    const auto& members = placed.strata[0].sets()[0];
    BOOST_TEST(members.size() == 500u);
    BOOST_TEST(!placed.draws[1]);
    const auto& here = topology.here();
    for (auto stager = here.first; stager < here.first + here.stagers; ++stager) {
      const auto& slab = placed.placement.slab(stager);
      for (auto sample = slab.first; sample < slab.last; ++sample) {
        BOOST_TEST(members.copies(stager, sample) == times[sample]);
        BOOST_TEST(placed.once[0].contains(stager, sample) == (times[sample] > 0));
      }
    }
  }
  world.barrier();
  if (world.rank() == 0) std::filesystem::remove(path);
}
