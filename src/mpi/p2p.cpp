#include "mpi/p2p.hpp"

#include <utility>

#include "base/narrow.hpp"
#include "mpi/check.hpp"

namespace headrace::mpi {

Transfer::Transfer(Transfer&& other) noexcept : request_(std::exchange(other.request_, MPI_REQUEST_NULL)) {}

Transfer& Transfer::operator=(Transfer&& other) noexcept {
  std::swap(request_, other.request_);
  return *this;
}

namespace {
void cancel(MPI_Request& request) {
  if (request == MPI_REQUEST_NULL) return;
  MPI_Cancel(&request);
  MPI_Request_free(&request);
}
}  // namespace

Transfer::~Transfer() {
  cancel(request_);
}

Transfers::~Transfers() {
  for (auto& request : requests_) cancel(request);
}

void Transfers::add(Transfer transfer, std::uint64_t token) {
  requests_.push_back(std::exchange(transfer.request_, MPI_REQUEST_NULL));
  tokens_.push_back(token);
}

void Transfers::poll(std::vector<Done>& done) {
  if (requests_.empty()) return;
  indices_.resize(requests_.size());
  statuses_.resize(requests_.size());
  int count = 0;
  check(MPI_Testsome(narrow<int>(requests_.size()), requests_.data(), &count, indices_.data(), statuses_.data()),
        "MPI_Testsome");
  if (count == MPI_UNDEFINED || count == 0) return;
  for (int i = 0; i < count; ++i) {
    const auto& status = statuses_[static_cast<std::size_t>(i)];
    MPI_Count bytes = 0;
    check(MPI_Get_elements_x(&status, MPI_BYTE, &bytes), "MPI_Get_elements_x");
    done.push_back({tokens_[static_cast<std::size_t>(indices_[static_cast<std::size_t>(i)])], status.MPI_SOURCE,
                    bytes < 0 ? 0 : static_cast<std::size_t>(bytes)});
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    requests_[kept] = requests_[i];
    tokens_[kept++] = tokens_[i];
  }
  requests_.resize(kept);
  tokens_.resize(kept);
}

Transfer Mailbox::send(int to, int tag, std::span<const std::byte> message) const {
  Transfer transfer;
  check(MPI_Isend(message.data(), narrow<int>(message.size()), MPI_BYTE, to, tag, comm_.handle(), &transfer.request_),
        "MPI_Isend");
  return transfer;
}

Transfer Mailbox::receive(int from, int tag, std::span<std::byte> into) const {
  Transfer transfer;
  check(MPI_Irecv(into.data(), narrow<int>(into.size()), MPI_BYTE, from, tag, comm_.handle(), &transfer.request_),
        "MPI_Irecv");
  return transfer;
}

Transfer Mailbox::receive_any(int tag, std::span<std::byte> into) const {
  return receive(MPI_ANY_SOURCE, tag, into);
}

Transfer Mailbox::receive(int from, int tag, std::span<const Block> into) const {
  if (into.size() == 1) return receive(from, tag, std::span(into[0].data, into[0].bytes));
  std::vector<int> lengths;
  std::vector<MPI_Aint> places;
  for (const auto& block : into) {
    lengths.push_back(narrow<int>(block.bytes));
    MPI_Aint place = 0;
    check(MPI_Get_address(block.data, &place), "MPI_Get_address");
    places.push_back(place);
  }
  MPI_Datatype type;
  check(MPI_Type_create_hindexed(narrow<int>(into.size()), lengths.data(), places.data(), MPI_BYTE, &type),
        "MPI_Type_create_hindexed");
  check(MPI_Type_commit(&type), "MPI_Type_commit");
  Transfer transfer;
  const int outcome = MPI_Irecv(MPI_BOTTOM, 1, type, from, tag, comm_.handle(), &transfer.request_);
  MPI_Type_free(&type);  // MPI keeps it until the message is complete
  check(outcome, "MPI_Irecv");
  return transfer;
}

}  // namespace headrace::mpi
