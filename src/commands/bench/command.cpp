#include "commands/bench/command.hpp"

#include <limits>

#include "base/error.hpp"
#include "commands/bench/bench.hpp"
#include "commands/bench/report.hpp"
#include "commands/commands.hpp"

namespace headrace::commands::bench {

namespace {

const config::Flag synthetic{"synthetic", 0, "\"BYTES x N\"", "",
                             "made-up data instead of files: N samples of that size, as in \"69KB x 30000\""};
const config::Flag json_file{"json", 'j', "FILE", "", "write the figures there"};
const config::Flag repeats{"repeats", 0, "N", "5", "of every measurement; medians and ranges are told"};
const config::Flag round_size{
    "round", 0, "BYTES", "4GB",
    "that trainers take per measurement, at least; by default at most 100,000 batches"};
const config::Flag compute{"compute", 0, "TIME", "",
                           "also: the time not waiting of trainers that compute so long a batch"};

int run(config::Arguments arguments, config::Mistakes& mistakes) {
  BenchOptions options;
  options.synthetic = arguments.value(synthetic.name, "").text();
  if (auto& more = arguments.positional; more.size() == 2 && more[0] == "x") {  // --synthetic 69KB x 30000, unquoted
    options.synthetic += " x " + more[1];
    more.clear();
  }
  options.json = arguments.value(json_file.name, "").text();
  if (!options.json.empty()) mistakes.attempt([&] { require_place_for(options.json); });
  mistakes.attempt([&] {
    options.repeats = static_cast<unsigned>(config::whole(arguments.value(repeats.name, repeats.fallback), 1, 1000));
    options.round_bytes = static_cast<double>(config::bytes(arguments.value(round_size.name, round_size.fallback)));
    if (arguments.has(round_size.name)) options.round_batches = std::numeric_limits<double>::infinity();
    if (arguments.has(compute.name)) options.compute_seconds = config::seconds(arguments.value(compute.name, ""));
  });
  auto config = configuration(arguments, mistakes);
  for (auto& stream : config.streams) stream.replicas = 1;  // a built-in trainer is one thread
  if (!config.has_samples() == options.synthetic.empty())
    throw UsageError("bench takes either files or --synthetic \"BYTES x N\"");
  return bench(config, options);
}

}  // namespace

config::Command bench_command() {
  return {.name = "bench",
          .usage = "[FILE...]",
          .summary = "Measures the service, and what the machine allows, in one run.",
          .details = "Runs the first stream with trainers-per-node trainers of its own, under mpirun or alone.",
          .configured = true,
          .flags = {synthetic, json_file, repeats, round_size, compute},
          .prints = true,
          .run = run};
}

}  // namespace headrace::commands::bench
