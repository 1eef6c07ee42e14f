#include "mpi/comm.hpp"

#include <algorithm>
#include <numeric>

#include "mpi/launcher.hpp"
#include "mpi/watch.hpp"

namespace headrace::mpi {

namespace {

/// What MPI has in a blocking form only, watched.
template <class Make>
MPI_Comm make(const char* call, const std::string& why, Make make) {
  MPI_Comm made = MPI_COMM_NULL;
  const Watch watch(call, why, is_first());
  check(make(&made), call);
  return made;
}

MPI_Comm duplicate(MPI_Comm from, const std::string& why) {
  return make("MPI_Comm_dup", why, [&](MPI_Comm* copy) { return MPI_Comm_dup(from, copy); });
}

const std::string after_barrier = "a process that was there has died or hangs; look at it, or raise start-timeout";

}  // namespace

Comm::Comm(MPI_Comm owned) : handle_(owned) {
  check(MPI_Comm_set_errhandler(handle_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(handle_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(handle_, &size_), "MPI_Comm_size");
  calls_ = std::make_unique<RollCall>(handle_, rank_, size_);
}

Comm::Comm(Comm&& other) noexcept
    : handle_(std::exchange(other.handle_, MPI_COMM_NULL)),
      rank_(other.rank_),
      size_(other.size_),
      calls_(std::move(other.calls_)) {}

Comm& Comm::operator=(Comm&& other) noexcept {
  if (this != &other) {
    free();
    handle_ = std::exchange(other.handle_, MPI_COMM_NULL);
    rank_ = other.rank_;
    size_ = other.size_;
    calls_ = std::move(other.calls_);
  }
  return *this;
}

Comm::~Comm() {
  free();
}

void Comm::free() noexcept {
  if (handle_ == MPI_COMM_NULL) return;
  int finalized = 0;
  MPI_Finalized(&finalized);
  // A message still on its way would reach the next communicator that gets this one's number, and confuse its order
  // until somebody waits for ever (Open MPI 4.1). Rather leave a communicator behind than that.
  if (!finalized && calls_->settle()) MPI_Comm_free(&handle_);
  handle_ = MPI_COMM_NULL;
}

Comm Comm::world() {
  return Comm(duplicate(MPI_COMM_WORLD,
                        "not every process of this job has come (one hangs, or is another MPI program: then set ranks "
                        "to those of the stagers)"));
}

Comm Comm::self() {
  return Comm(duplicate(MPI_COMM_SELF, ""));
}

Comm Comm::of_ranks(int first, int last) {
  MPI_Group all = MPI_GROUP_NULL, group = MPI_GROUP_NULL;
  check(MPI_Comm_group(MPI_COMM_WORLD, &all), "MPI_Comm_group");
  int range[1][3] = {{first, last, 1}};
  check(MPI_Group_range_incl(all, 1, range, &group), "MPI_Group_range_incl");
  // Not MPI_Comm_create, in which all ranks would have to take part.
  const auto comm = make("MPI_Comm_create_group", "not every one of 'ranks' has come; all of them must be stagers",
                         [&](MPI_Comm* made) { return MPI_Comm_create_group(MPI_COMM_WORLD, group, 0, made); });
  MPI_Group_free(&group);
  MPI_Group_free(&all);
  return Comm(comm);
}

Comm Comm::dup() const {
  barrier();
  return Comm(duplicate(handle_, after_barrier));
}

void Comm::name_ranks(std::vector<std::string> names) const {
  calls_->call_them(std::move(names));
}

template <class Start>
void Comm::collective(const char* call, Start start) const {
  MPI_Request request = MPI_REQUEST_NULL;
  calls_->arrive();
  check(start(&request), call);
  calls_->wait(request);
}

// The barrier tells who is missing.
Comm Comm::split(int color, int key) const {
  barrier();
  return Comm(
      make("MPI_Comm_split", after_barrier, [&](MPI_Comm* part) { return MPI_Comm_split(handle_, color, key, part); }));
}

Comm Comm::split_shared() const {
  barrier();
  return Comm(make("MPI_Comm_split_type", after_barrier, [&](MPI_Comm* part) {
    return MPI_Comm_split_type(handle_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, part);
  }));
}

void Comm::barrier() const {
  collective("MPI_Ibarrier", [&](MPI_Request* r) { return MPI_Ibarrier(handle_, r); });
}

std::string Comm::bcast(const std::string& text, int root, std::size_t round) const {
  std::uint64_t length = text.size();
  collective("MPI_Ibcast", [&](MPI_Request* r) { return MPI_Ibcast(&length, 1, MPI_UINT64_T, root, handle_, r); });
  std::string result = rank_ == root ? text : std::string(length, '\0');
  for (std::size_t at = 0; at < length; at += round)
    collective("MPI_Ibcast", [&](MPI_Request* r) {
      return MPI_Ibcast(result.data() + at, narrow<int>(std::min<std::uint64_t>(round, length - at)), MPI_CHAR, root,
                        handle_, r);
    });
  return result;
}

std::vector<std::string> Comm::allgather(const std::string& mine, std::size_t round) const {
  const auto lengths = allgather<std::uint64_t>(mine.size());
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  const std::size_t piece = std::max<std::size_t>(1, round / lengths.size());
  std::vector<std::string> texts(lengths.size());
  std::vector<int> counts(lengths.size()), offsets(lengths.size());
  std::string together;
  for (std::size_t at = 0; at < longest; at += piece) {
    for (std::size_t i = 0; i < lengths.size(); ++i)
      counts[i] = narrow<int>(lengths[i] > at ? std::min<std::uint64_t>(piece, lengths[i] - at) : 0);
    std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
    together.resize(static_cast<std::size_t>(offsets.back()) + static_cast<std::size_t>(counts.back()));
    collective("MPI_Iallgatherv", [&](MPI_Request* r) {
      return MPI_Iallgatherv(mine.data() + std::min(at, mine.size()), counts[static_cast<std::size_t>(rank_)], MPI_CHAR,
                             together.data(), counts.data(), offsets.data(), MPI_CHAR, handle_, r);
    });
    for (std::size_t i = 0; i < lengths.size(); ++i)
      texts[i].append(together, static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(counts[i]));
  }
  return texts;
}

std::vector<std::string> Comm::alltoall(const std::vector<std::string>& to, std::size_t round) const {
  const auto ranks = static_cast<std::size_t>(size_);
  std::vector<std::uint64_t> out_bytes, in_bytes(ranks);
  for (const auto& text : to) out_bytes.push_back(text.size());
  collective("MPI_Ialltoall", [&](MPI_Request* r) {
    return MPI_Ialltoall(out_bytes.data(), 1, MPI_UINT64_T, in_bytes.data(), 1, MPI_UINT64_T, handle_, r);
  });
  const auto longest = max(*std::max_element(out_bytes.begin(), out_bytes.end()));
  const std::size_t piece = std::max<std::size_t>(1, round / ranks);
  std::vector<std::string> from(ranks);
  std::vector<int> out(ranks), in(ranks), out_at(ranks), in_at(ranks);
  std::string sent, received;
  for (std::size_t at = 0; at < longest; at += piece) {
    const auto part = [&](std::uint64_t bytes) {
      return narrow<int>(bytes > at ? std::min<std::uint64_t>(piece, bytes - at) : 0);
    };
    sent.clear();
    for (std::size_t r = 0; r < ranks; ++r) {
      out[r] = part(out_bytes[r]);
      in[r] = part(in_bytes[r]);
      sent.append(to[r], std::min(at, to[r].size()), static_cast<std::size_t>(out[r]));
    }
    std::exclusive_scan(out.begin(), out.end(), out_at.begin(), 0);
    std::exclusive_scan(in.begin(), in.end(), in_at.begin(), 0);
    received.resize(static_cast<std::size_t>(in_at.back()) + static_cast<std::size_t>(in.back()));
    collective("MPI_Ialltoallv", [&](MPI_Request* r) {
      return MPI_Ialltoallv(sent.data(), out.data(), out_at.data(), MPI_CHAR, received.data(), in.data(), in_at.data(),
                            MPI_CHAR, handle_, r);
    });
    for (std::size_t r = 0; r < ranks; ++r)
      from[r].append(received, static_cast<std::size_t>(in_at[r]), static_cast<std::size_t>(in[r]));
  }
  return from;
}

void Comm::allgather_bytes(const void* mine, void* all, std::size_t bytes) const {
  const int count = narrow<int>(bytes);
  collective("MPI_Iallgather",
             [&](MPI_Request* r) { return MPI_Iallgather(mine, count, MPI_BYTE, all, count, MPI_BYTE, handle_, r); });
}

std::uint64_t Comm::reduce(std::uint64_t mine, MPI_Op op) const {
  std::uint64_t result = 0;
  collective("MPI_Iallreduce",
             [&](MPI_Request* r) { return MPI_Iallreduce(&mine, &result, 1, MPI_UINT64_T, op, handle_, r); });
  return result;
}

double Comm::reduce(double mine, MPI_Op op) const {
  double result = 0;
  collective("MPI_Iallreduce",
             [&](MPI_Request* r) { return MPI_Iallreduce(&mine, &result, 1, MPI_DOUBLE, op, handle_, r); });
  return result;
}

}  // namespace headrace::mpi
