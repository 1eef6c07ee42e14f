#include "service/staging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file_limit.hpp"
#include "data/fields/plan.hpp"
#include "data/fields/weight_field.hpp"
#include "data/selection/reading.hpp"
#include "data/selection/scan_files.hpp"
#include "data/selection/scan_settings.hpp"
#include "data/selection/selected_samples.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/descriptors.hpp"
#include "service/early_start.hpp"
#include "service/loading/fill_store.hpp"
#include "service/loading/progress.hpp"
#include "service/scratch_disk.hpp"
#include "service/surroundings.hpp"
#include "service/window_memory.hpp"
#include "service/window_order.hpp"

namespace headrace::service {

namespace {

std::vector<blueprint::StreamSamples> samples_of_streams(const data::selection::SelectedSamples& selected) {
  std::vector<blueprint::StreamSamples> all;
  const auto positions = selected.positions();
  for (std::size_t s = 0; s < positions.size(); ++s) {
    const auto& draw = selected.draw(s);
    all.push_back({positions[s], selected.class_sizes()[s], draw.draw, data::selection::lines_of(draw)});
  }
  return all;
}

/// All of them, here as everywhere, and before anything is loaded: where such a sample lies is only one stager's affair.
void require_weights_fit(const blueprint::Blueprint& blueprint) {
  for (const auto& plan : blueprint.fields)
    if (plan.by_weight && blueprint.weights) data::fields::require_weights_fit(plan.spec(), blueprint.weights->weights);
}

}  // namespace

Staging::Staging(const config::Config& config, const mpi::Comm& world, Purpose purpose, const MakeHost& make_host)
    : config_(config),
      purpose_(purpose),
      topology_(job::Topology::discover(world, config.split_nodes)),
      threads_(data::selection::worker_count(config.threads, topology_.stagers_on_host)) {
  // The name first: who waits for the service learns at once that it is coming, and a second one of that name ends
  // here.
  host_ = mpi::together(topology_.all, [&] {
    auto host = make_host ? make_host(config_, topology_) : std::make_unique<host::Host>(config_, topology_);
    host->start();  // whoever asks has an answer, however late other stagers are
    return host;
  });
}

Staging::~Staging() {
  if (host_) host_->halt();        // it looks at rings and workers, which go before it
  if (readers_) readers_->stop();  // they fill slots, and call feeds
  loader_.reset();                 // it may be at something long
  arrival_loader_.reset();
}

void Staging::begin() {
  auto links = mpi::together(topology_.all, [&] { return job::NodeLinks::make(topology_); });
  host_->meet(std::move(links), job::find_neighbours(topology_, config_.node_timeout));
  look_at_files();
}

void Staging::look_at_files() {
  host_->loading("looking at the files", -1);
  mpi::together(topology_.all, [&] {
    require(config_.has_samples(),
            "no files given (nothing to serve); name them: headrace serve FILE..., or files = "
            "[\"data/*.h5\"] in the configuration");
  });
  contents_ = data::selection::scan_files(config_, topology_).contents;
  const auto options = load_options();
  auto fields = data::fields::plan_fields(config_, contents_, topology_.all, options);
  if (topology_.me() == 0)
    for (const auto& warning : fields.warnings) log::warn("{}", warning);
  auto catalog = mpi::together(topology_.all, [&] { return data::fields::catalog_of(contents_, fields.fields); });
  auto choices = mpi::together(topology_.all, [&] { return data::selection::choose(config_, catalog); });
  if (std::any_of(choices.begin(), choices.end(),
                  [](const data::selection::Choice& c) { return !c.where.empty() || c.list; }))
    host_->loading("choosing samples", -1);
  const data::selection::SelectedSamples selected(config_, contents_, catalog, std::move(choices), topology_, options);
  mpi::together(topology_.all, [&] { data::selection::refuse_shared(config_, selected.shared()); });
  if (topology_.me() == 0)  // warnings are spoken by all
    for (const auto& shared : selected.shared()) log::warn("{}", data::selection::text_of(shared));

  // What rings and buffers take is known once the streams are; what is left weighs the nodes.
  blueprint_ = mpi::together(topology_.all, [&] {
    return std::make_unique<blueprint::Blueprint>(
        blueprint::draw(config_, catalog, std::move(fields), samples_of_streams(selected), topology_));
  });
  const MemoryLook first{blueprint::available_memory(), blueprint::own_memory()};
  place_samples(selected, first.limit);
  for (std::size_t s = 0; s < config_.streams.size(); ++s)
    if (const auto left_out = selected.of_no_class(s); left_out > 0)
      log::info("stream {}: {} sample{} of no class left out", config_.streams[s].name, left_out,
                left_out == 1 ? "" : "s");
  const auto now = look_again(first);
  print_blueprint(now);
  tell_files_outside(topology_);
  tell_start();
  check_memory(first.limit, now);
  check_descriptors();
}

void Staging::place_samples(const data::selection::SelectedSamples& selected, const blueprint::MemoryLimit& limit) {
  const auto tables = blueprint::table_bytes_to_come(config_, *blueprint_, topology_.here().stagers);
  const auto budgets = store_budgets(config_, topology_, limit.available, need(topology_.here()).total() + tables);
  const auto total = selected.stored() * row_bytes(blueprint_->schema);
  const auto room = std::accumulate(budgets.bytes.begin(), budgets.bytes.end(), std::uint64_t{0});
  const auto windows = choose_windows(config_, topology_, selected, room, *blueprint_);
  const auto weights = blueprint::weights(topology_.nodes, budgets_to_weigh(config_, budgets, total), total);
  const bool early = choose_early(config_, topology_, *blueprint_);
  auto placed =
      selected.place(windows.any() || early ? selected.divide(weights, blueprint_->blocks) : selected.divide(weights));
  blueprint_->placement = std::move(placed.placement);
  blueprint_->strata = std::move(placed.strata);
  blueprint_->draws = std::move(placed.draws);
  blueprint_->classes = std::move(placed.classes);
  blueprint_->weights = std::move(placed.weights);
  mpi::together(topology_.all, [&] { require_weights_fit(*blueprint_); });
  lay_out_windows(config_, topology_, windows, selected, *blueprint_);
  if (early) lay_out_early(config_, topology_, *blueprint_);
  if (purpose_ == Purpose::trainers) settle_windows(topology_, budgets, *blueprint_);
  qualities_ = measure_windows(topology_, contents_, *blueprint_, load_options());
  mpi::together(topology_.all, [&] { settle_residence(config_, topology_, budgets, *blueprint_); });
  if (early && purpose_ == Purpose::trainers) settle_arrival(config_, topology_, *blueprint_);
}

void Staging::tell_start() const {
  auto streams = nlohmann::json::array();
  for (std::size_t s = 0; s < blueprint_->streams.size(); ++s) {
    const auto& stream = blueprint_->streams[s];
    streams.push_back({{"name", stream.name}, {"samples", stream.samples}, {"epochs", stream.epochs}});
    if (qualities_[s]) streams.back()["window"] = blueprint::json_of(*qualities_[s]);
  }
  host_->tell("start", {{"files", blueprint_->catalog.files.size()},
                        {"samples", blueprint_->catalog.samples},
                        {"nodes", topology_.nodes.size()},
                        {"stagers", topology_.stagers()},
                        {"trainers", blueprint_->trainers},
                        {"regime", blueprint_->regime()},
                        {"start", blueprint_->arrival ? "early" : "loaded"},
                        {"streams", std::move(streams)}});
}

blueprint::Need Staging::need(const job::Node& node) const {
  // Before it is known who holds what, nobody holds anything.
  const auto rows = blueprint_->placement.stagers() > 0 ? blueprint_->rows_in_memory_of(node)
                                                        : std::vector<std::uint64_t>(node.stagers);
  std::vector<std::uint64_t> on_disk;
  if (blueprint_->on_disk()) {
    on_disk = blueprint_->rows_of_node(node);
    for (std::size_t s = 0; s < rows.size(); ++s) on_disk[s] -= rows[s];
  }
  auto need = blueprint::need_of_node(config_, *blueprint_, rows, topology_.nodes.size(), on_disk);
  // Likewise, an even share of the samples.
  auto samples = blueprint_->catalog.samples * node.stagers / topology_.stagers();
  if (blueprint_->placement.stagers() > 0)
    samples =
        blueprint_->placement.slab(node.first + node.stagers - 1).last - blueprint_->placement.slab(node.first).first;
  need.buffers += blueprint::draw_bytes_of_node(*blueprint_, samples, node.stagers) +
                  blueprint::table_bytes_of_node(*blueprint_, node.stagers);
  return need;
}

void Staging::check_descriptors() {
  mpi::together(topology_.all, [&] {
    const auto need =
        blueprint::descriptor_need(config_, topology_.here(), topology_.local(), topology_.stagers(), open_files());
    blueprint::require_descriptors(need, file_limit(), config_, topology_.here());
    host_->limit_callers(blueprint::most_callers(need, file_limit()));
  });
}

reader::LoadOptions Staging::load_options() const {
  return data::selection::load_options(config_, threads_);
}

void Staging::load() {
  if (blueprint_->arrival) return;  // open() has it read
  const auto begin = Clock::now();
  host_->loading("loading", 0);
  loading::Progress progress(topology_.me() == 0 && !config_.quiet,
                             [this](double fraction) { host_->loading("loading", fraction); });
  auto options = load_options();
  options.progress = [&](std::uint64_t done, std::uint64_t total) { progress.at(done, total); };
  load_report_ = loading::fill_store(
      {*blueprint_, topology_, contents_, options, data::selection::gap_to_read(blueprint_->catalog)}, *store_);
  if (!blueprint_->by_windows()) blueprint_->weights.reset();  // they stand in the store now, and on the disk
  load_seconds_ = topology_.all.max(seconds_since(begin));
  progress.done();
  const auto bytes = topology_.all.sum(load_report_.bytes);
  log::info("loaded {} in {:.2f} s ({}); memory reserved in {:.2f} s", format_bytes(static_cast<double>(bytes)),
            load_seconds_, format_rate(static_cast<double>(bytes), load_seconds_), reserve_seconds_);
  host_->tell("loaded", {{"bytes", bytes}, {"seconds", load_seconds_}});
  for (const auto& dataset : load_report_.datasets) log::info("  {}: {}", dataset.path, dataset.text);
}

std::vector<std::vector<std::uint64_t>> Staging::hash_streams() const {
  std::vector<std::vector<std::uint64_t>> sums;
  for (std::uint32_t s = 0; s < blueprint_->streams.size(); ++s) {
    sums.push_back(blueprint::slab_hashes(*blueprint_, s, topology_.me()));
    for (auto& sum : sums.back()) sum = topology_.all.sum(sum);
  }
  return sums;
}

void Staging::connect_nodes() {
  supply_ = std::make_unique<delivery::Supply>(*blueprint_, topology_, *store_);
  draws_ = std::make_unique<delivery::DrawnEpochs>(*blueprint_, topology_.local());
  supply_->connect(*draws_);
  workers_ = std::make_unique<Workers>(threads_);
  if (blueprint_->on_disk()) {
    tell_rate(config_, *blueprint_, topology_, *store_, *host_);
    readers_ = std::make_unique<store::ScratchReaders>(
        store_->scratch(), store::ScratchReaders::threads_for(topology_.here().stagers),
        [this](const std::string& what) { host_->fail(fmt::format("{}: {}", topology_.here().host, what)); });
    supply_->connect(*readers_);
  }
  if (blueprint_->by_windows()) {
    windowing_ = std::make_unique<blueprint::Windowing>(*blueprint_, config_.seed);
    panes_ = std::make_unique<delivery::Panes>(*windowing_, blueprint_->streams.size());
    supply_->connect(*panes_);
  }
  if (blueprint_->arrival) {
    arrivals_ = std::make_unique<delivery::Arrivals>(*blueprint_, config_.seed);
    supply_->connect(*arrivals_);
  }
  if (topology_.nodes.size() == 1) return;
  const auto settings = exchange::Settings::of(topology_.nodes.size(), supply_->answer_row_bytes());
  engine_ = std::make_unique<exchange::Engine>(
      topology_.all, settings, *workers_,
      [this](const exchange::Request& request, std::span<std::byte> out, exchange::Answers::Done done) {
        return supply_->pack(request, out, std::move(done));
      },
      [this](int, std::string text) { host_->message_from_stager(std::move(text)); });
  supply_->connect(*engine_);
}

void Staging::keep() {
  connect_nodes();
  topology_.all.barrier();  // everybody can answer before anybody asks
}

void Staging::wake() {
  if (engine_) engine_->wake();
}

void Staging::open() {
  auto hashes = hash_streams();
  connect_nodes();
  host::Host::Service service{
      supply_.get(),          draws_.get(), blueprint_.get(),
      workers_.get(),         rings_.get(), std::move(hashes),
      need(topology_.here()), {},           [this] { return readers_ ? readers_->figures().bytes : 0; }};
  if (engine_) {
    service.send_to_stager = [this](int to, std::string text) { engine_->control(to, std::move(text)); };
    host_->on_over([this] { engine_->wake(); });
  }
  if (panes_) make_loader(service);
  if (arrivals_) make_arrival_loader(service);
  topology_.all.barrier();  // everybody can answer before anybody asks
  host_->open(std::move(service));
}

void Staging::run() {
  if (engine_) engine_->run([this] { return host_->is_over(); });
  host_->wait_until_over();
}

void Staging::run_until(const std::function<bool()>& finished) {
  if (engine_) return engine_->run_for_now(finished);
  // Files wait for what this thread does; trainers for nothing here.
  const std::chrono::milliseconds nap(purpose_ == Purpose::files ? 1 : 10);
  while (!finished()) std::this_thread::sleep_for(nap);
}

}  // namespace headrace::service
