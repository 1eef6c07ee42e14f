// headrace COMMAND ...: takes the command line apart, runs the command, returns its exit code.
// 0 done, 1 failed, 2 wrong usage.

#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/host_name.hpp"
#include "mpi/launcher.hpp"
#include "service/bench.hpp"
#include "service/bench_report.hpp"
#include "service/control.hpp"
#include "service/inspect.hpp"
#include "service/inspect_config.hpp"
#include "service/inspect_sample.hpp"
#include "service/options_load.hpp"
#include "service/plan_command.hpp"
#include "service/run_command.hpp"
#include "service/serve.hpp"
#include "service/stat_command.hpp"
#include "service/stats.hpp"

namespace {

using namespace headrace;
using namespace headrace::service;

/// A command with what it does. Mistakes of its command line so far are passed on, to be told with its own.
struct Entry {
  Command command;
  std::function<int(const Arguments&, Mistakes&)> run;
};

const Flag as_json{"json", 'j', "", "", "for programs: one JSON document"};
const Flag watch{"watch", 'w', "", "", "again every second, until Ctrl-C"};
const Flag timeout{"timeout", 't', "TIME", "60", "how long to wait"};

/// Launched side by side, all ranks make the same mistake: only the first tells it.
bool speaks_for_all() {
  for (const auto* variable : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const char* rank = std::getenv(variable)) return std::string(rank) == "0";
  return true;
}

/// The configuration; or all that is wrong with it, also against its files.
Config configuration(const Arguments& arguments, Mistakes& mistakes) {
  auto config = read_config(arguments, environment(), mistakes);
  if (!mistakes.empty() && speaks_for_all()) check_against_files(config, mistakes);
  mistakes.throw_if_any();
  return config;
}

int run_serve(const Arguments& arguments, Mistakes& mistakes) {
  const auto config = configuration(arguments, mistakes);
  if (config.files.empty())
    throw UsageError("no files to serve; name them as arguments or as files = [...] in the configuration");
  return serve(config);
}

const Flag synthetic{"synthetic", 0, "\"BYTES x N\"", "",
                     "made-up data instead of files: N samples of that size, as in \"69KB x 30000\""};
const Flag json_file{"json", 'j', "FILE", "", "write the figures there"};
const Flag repeats{"repeats", 0, "N", "5", "of every measurement; medians and ranges are told"};
const Flag round_size{"round", 0, "BYTES", "4GB", "that trainers take in each measurement, at least"};
const Flag compute{"compute", 0, "TIME", "", "also: the time not waiting of trainers that compute so long a batch"};

int run_bench(Arguments arguments, Mistakes& mistakes) {
  BenchOptions options;
  if (arguments.has(synthetic.name)) options.synthetic = arguments.value(synthetic.name, "").text();
  if (auto& more = arguments.positional; more.size() == 2 && more[0] == "x") {  // --synthetic 69KB x 30000, unquoted
    options.synthetic += " x " + more[1];
    more.clear();
  }
  if (arguments.has(json_file.name)) options.json = arguments.value(json_file.name, "").text();
  if (!options.json.empty()) mistakes.attempt([&] { require_place_for(options.json); });
  mistakes.attempt([&] {
    options.repeats = static_cast<unsigned>(whole(arguments.value(repeats.name, repeats.fallback), 1, 1000));
    options.round_bytes = static_cast<double>(bytes(arguments.value(round_size.name, round_size.fallback)));
    if (arguments.has(compute.name)) options.compute_seconds = seconds(arguments.value(compute.name, ""));
  });
  const auto config = configuration(arguments, mistakes);
  if (config.files.empty() == options.synthetic.empty())
    throw UsageError("bench takes either files or --synthetic \"BYTES x N\"");
  return bench(config, options);
}

const Flag of_stream{"stream", 0, "NAME", "train, or the only one", "whose samples are measured"};
const Flag output{"output", 'o', "FILE", "the fields' scale-file", "where the numbers are written"};

int run_stats(const Arguments& arguments, Mistakes& mistakes) {
  StatsOptions options;
  if (arguments.has(of_stream.name)) options.stream = arguments.value(of_stream.name, "").text();
  if (arguments.has(output.name)) options.output = arguments.value(output.name, "").text();
  const auto config = configuration(arguments, mistakes);
  if (config.files.empty())
    throw UsageError("no files to measure; name them as arguments or as files = [...] in the configuration");
  return stats(config, options, std::cout);
}

const Flag one_sample{"sample", 0, "N | FILE:ROW", "", "with -c: raw and finished values of one sample"};
const Flag picture{"plot", 0, "FILE.png", "", "a picture of that sample; needs python3 with matplotlib"};

const Flag count_all{"count", 0, "", "", "with -c: count streams and classes also where that reads over 1 GB"};

int run_inspect(const Arguments& arguments, Mistakes& mistakes) {
  if (!arguments.config.empty() || !arguments.settings.empty()) {
    const auto config = configuration(arguments, mistakes);
    if (config.files.empty())
      throw UsageError("no files to inspect; name them as arguments or as files = [...] in the configuration");
    if (!arguments.has(one_sample.name)) {
      if (arguments.has(picture.name)) throw UsageError("--plot draws one sample; say which with --sample");
      return inspect_config(config, arguments.has(as_json.name), arguments.has(count_all.name), std::cout);
    }
    const SampleOptions options{arguments.value(one_sample.name, "").text(), arguments.has(as_json.name),
                                arguments.has(picture.name) ? arguments.value(picture.name, "").text() : ""};
    return inspect_sample(config, options, std::cout);
  }
  mistakes.throw_if_any();
  if (arguments.has(one_sample.name) || arguments.has(picture.name))
    throw UsageError("--sample and --plot need a configuration; add -c CONFIG");
  if (arguments.positional.empty()) throw UsageError("no files to inspect; name HDF5 files: headrace inspect FILE...");
  return inspect(arguments.positional, arguments.has(as_json.name), std::cout);
}

const Flag nodes{"nodes", 0, "N", "1", "how many nodes"};
const Flag stagers_per_node{"stagers-per-node", 0, "N", "1", "stagers on each of them"};
const Flag samples{"samples", 0, "N", "", "made-up data instead of files: that many samples"};
const Flag row_bytes{"row-bytes", 0, "BYTES", "", "and the size of one"};
const Flag nic{"nic", 0, "RATE", "", "of a node's network, as in 200Gbit/s or 25GB/s"};
const Flag disk{"disk", 0, "RATE", "", "at which one node reads the files"};
const Flag disk_total{"disk-total", 0, "RATE", "", "at which all nodes together read them"};
const Flag memory_rate{"memory-rate", 0, "RATE", "", "at which a node copies rows (bench: limit gather)"};

/// The value of a flag that may be absent, read by `reader`.
template <class Reader, class Place>
void take(const Arguments& arguments, Mistakes& mistakes, const Flag& flag, Place& place, Reader reader) {
  if (arguments.has(flag.name) || !flag.fallback.empty())
    mistakes.attempt([&] { place = reader(arguments.value(flag.name, flag.fallback)); });
}

int run_plan(const Arguments& arguments, Mistakes& mistakes) {
  PlanOptions options;
  const auto count = [](const Value& value) { return static_cast<std::uint32_t>(whole(value, 1, 1u << 20)); };
  const auto size = [](const Value& value) { return bytes(value); };
  take(arguments, mistakes, nodes, options.nodes, count);
  take(arguments, mistakes, stagers_per_node, options.stagers_per_node, count);
  take(arguments, mistakes, samples, options.samples, [](const Value& value) { return whole(value, 1); });
  take(arguments, mistakes, row_bytes, options.row_bytes, size);
  take(arguments, mistakes, nic, options.rates.nic, rate);
  take(arguments, mistakes, disk, options.rates.disk, rate);
  take(arguments, mistakes, disk_total, options.rates.disk_total, rate);
  take(arguments, mistakes, memory_rate, options.rates.memory, rate);
  options.json = arguments.has(as_json.name);
  return service::plan(configuration(arguments, mistakes), options, std::cout);
}

/// The service that a control command names, by argument or variable; empty if by neither.
std::string service_named(const Arguments& arguments) {
  if (arguments.positional.size() > 1)
    throw UsageError("one service at a time; '" + arguments.positional[1] + "' is one name too many");
  if (!arguments.positional.empty()) return arguments.positional[0];
  const char* name = std::getenv("HEADRACE_NAME");
  return name ? name : "";
}

std::string running_service(const Arguments& arguments) {
  const auto name = service_named(arguments);
  return name.empty() ? only_service() : name;
}

double patience(const Arguments& arguments) {
  return seconds(arguments.value(timeout.name, timeout.fallback));
}

int run_stat(const Arguments& arguments, Mistakes&) {
  return stat(running_service(arguments), {arguments.has(as_json.name), arguments.has(watch.name)}, std::cout);
}

int run_wait(const Arguments& arguments, Mistakes&) {
  const auto name = service_named(arguments);
  if (name.empty()) throw UsageError("say which service to wait for: headrace wait NAME");
  return wait(name, patience(arguments), std::cout);
}

int run_stop(const Arguments& arguments, Mistakes&) {
  return stop(running_service(arguments), patience(arguments), std::cout);
}

int run_trainer(const Arguments& arguments, Mistakes&) {
  if (arguments.positional.empty())
    throw UsageError("say which trainer to run: headrace run -- COMMAND..., as in headrace run -- python train.py");
  return start_trainer(arguments.positional);
}

std::vector<Entry> entries() {
  const std::string serve_details =
      "Under mpirun or srun each rank is a stager: it reads a share of the samples and serves the trainers of its "
      "node.";
  const std::string bench_details =
      "Runs the first stream with trainers-per-node trainers of its own, under mpirun or alone.";
  const std::string inspect_details =
      "With a configuration, or any of its keys: what trainers would receive, and of which samples.";
  const std::string stats_details =
      "Mean, standard deviation, least and greatest of every field with a scale-file, and how often classes occur:\n"
      "over the samples of one stream, read once, under mpirun or alone.";
  const std::string run_details =
      "  mpirun -n 2 headrace serve -c lcd.toml : -n 4 headrace run -- python train.py\n\n"
      "MPI waits for every process of its job, and trainers are none of MPI's: this one takes part in their stead. The "
      "trainer\nis its child, with RANK, WORLD_SIZE and LOCAL_RANK in the environment and nothing of MPI. One that "
      "fails "
      "ends the job;\nwhen all have ended the service is stopped.";
  return {
      {{"inspect",
        "FILE... | -c CONFIG",
        "Shows what HDF5 files hold and how well they will read.",
        inspect_details,
        true,
        {as_json, one_sample, picture, count_all}},
       run_inspect},
      {{"serve", "[FILE...]", "Serves the samples of HDF5 files to trainers.", serve_details, true, {}}, run_serve},
      {{"bench",
        "[FILE...]",
        "Measures the service, and what the machine allows, in one run.",
        bench_details,
        true,
        {synthetic, json_file, repeats, round_size, compute}},
       run_bench},
      {{"plan",
        "[FILE...]",
        "Tells beforehand what a service will need and deliver.",
        "A dry run for any number of nodes: --memory is what each of them has. Needs no MPI, and reads no samples.",
        true,
        {nodes, stagers_per_node, samples, row_bytes, nic, disk, disk_total, memory_rate, as_json}},
       run_plan},
      {{"stat", "[NAME]", "Shows how a service is doing, on all its nodes.", "", false, {as_json, watch}}, run_stat},
      {{"stats",
        "[FILE...]",
        "Measures what normalisation needs, and writes the scale file.",
        stats_details,
        true,
        {of_stream, output}},
       run_stats},
      {{"run", "-- COMMAND...", "Runs a trainer in the MPI job of the service.", run_details, false, {}, true},
       run_trainer},
      {{"wait", "NAME", "Returns when trainers can attach to a service on this node.", "", false, {timeout}}, run_wait},
      {{"stop", "[NAME]", "Ends a service on this node gracefully.", "", false, {timeout}}, run_stop},
  };
}

std::string overview(const std::vector<Entry>& all) {
  std::string text =
      "Feeds training jobs from HDF5 files: read once, shuffled anew each epoch, delivered in shared memory.\n\n"
      "Usage: headrace COMMAND ...\n\nCommands\n";
  for (const auto& entry : all)
    text += "  " + entry.command.name + std::string(10 - entry.command.name.size(), ' ') + entry.command.summary + "\n";
  return text + "\nEach has a --help of its own; 'headrace --version' tells the version.\n";
}

int run_command(const Entry& entry, const std::vector<std::string>& args) {
  Mistakes mistakes;
  const auto arguments = parse_arguments(entry.command, args, mistakes);
  if (arguments.help) {
    std::cout << help_text(entry.command);
    return 0;
  }
  if (!entry.command.configured) mistakes.throw_if_any();
  return entry.run(arguments, mistakes);
}

int run(const std::vector<std::string>& args) {
  const auto all = entries();
  if (args.empty()) throw UsageError("no command given\n\n" + overview(all));
  if (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    std::cout << overview(all);
    return 0;
  }
  if (args[0] == "--version") {
    std::cout << "headrace " HEADRACE_VERSION "\n";
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& entry : all) {
    if (entry.command.name == args[0]) return run_command(entry, {args.begin() + 1, args.end()});
    names.push_back(entry.command.name);
  }
  throw UsageError("unknown command '" + args[0] + "'" + did_you_mean(args[0], names));
}

/// Launched side by side, all ranks make the same mistake, and only the first tells it: once it has spoken the launcher
/// ends the others (Slurm now and then takes longer). Who is not ended is on a node where something else is wrong.
void tell(const std::string& message) {
  constexpr std::chrono::seconds for_the_launcher{5};
  if (mpi::is_first()) {
    std::cerr << "headrace: " << message << "\n";
    return;
  }
  std::this_thread::sleep_for(for_the_launcher);
  if (mpi::is_first_of_node())
    std::cerr << "headrace: on " + host_name() + ": " + message + "\n";
  else
    std::this_thread::sleep_for(for_the_launcher);
}

}  // namespace

int main(int argc, char** argv) {
  int code = 1;
  std::string message;
  try {
    return run({argv + 1, argv + argc});
  } catch (const UsageError& error) {
    code = 2;
    message = error.what();
  } catch (const std::exception& error) {
    message = error.what();
  }
  tell(message);
  return code;
}
