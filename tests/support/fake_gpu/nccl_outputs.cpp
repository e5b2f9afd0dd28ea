#include "tests/support/fake_gpu/nccl_outputs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "agent/dynlib/nccl.h"

namespace gpuassay::fake {
namespace {

using kernels::ElementFormat;

/// The sum, or the largest, of one element of each rank.
class Reduced final : public ElementRecipe {
 public:
  Reduced(std::vector<Elements> parts, ElementFormat format, bool largest)
      : ElementRecipe(kernels::bits_of(format) / 8), parts_(std::move(parts)), format_(format), largest_(largest) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    double result = parts_.front().at(index);
    for (std::size_t i = 1; i < parts_.size(); ++i) {
      const double value = parts_[i].at(index);
      result = largest_ ? std::max(result, value) : result + value;
    }
    return bits_from_double(format_, result);
  }
  [[nodiscard]] int depth() const override {
    int deepest = 0;
    for (const Elements& part : parts_) deepest = std::max(deepest, part.depth());
    return deepest + 1;
  }

 private:
  std::vector<Elements> parts_;
  ElementFormat format_;
  bool largest_;
};

/// The elements of a part as they are, from `first` on.
class Copied final : public ElementRecipe {
 public:
  Copied(View part, ElementFormat format) : ElementRecipe(kernels::bits_of(format) / 8), part_(std::move(part)) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override {
    std::uint64_t bits = 0;
    part_.read(index * element_bytes(), std::as_writable_bytes(std::span(&bits, 1)).first(element_bytes()));
    return bits;
  }
  [[nodiscard]] int depth() const override { return part_.depth() + 1; }

 private:
  View part_;
};

/// Elements from `first` on of what all ranks handed in.
class Shifted final : public ElementRecipe {
 public:
  Shifted(std::shared_ptr<const ElementRecipe> whole, std::uint64_t first)
      : ElementRecipe(whole->element_bytes()), whole_(std::move(whole)), first_(first) {}
  [[nodiscard]] std::uint64_t element(std::uint64_t index) const override { return whole_->element(first_ + index); }
  [[nodiscard]] int depth() const override { return whole_->depth() + 1; }

 private:
  std::shared_ptr<const ElementRecipe> whole_;
  std::uint64_t first_;
};

bool is_collective(const Posted& posted) { return posted.kind != NcclKind::send && posted.kind != NcclKind::receive; }

/// The collectives of one rank, in order.
std::vector<const Posted*> collectives_of(const PostedGroup& group) {
  std::vector<const Posted*> found;
  for (const Posted& posted : group) {
    if (is_collective(posted)) found.push_back(&posted);
  }
  return found;
}

/// What `from` sends to `to`, in order.
std::vector<const Posted*> sent(const std::vector<PostedGroup>& all, int from, int to) {
  std::vector<const Posted*> found;
  for (const Posted& posted : all.at(static_cast<std::size_t>(from))) {
    if (posted.kind == NcclKind::send && posted.peer == to) found.push_back(&posted);
  }
  return found;
}

bool alike(const Posted& a, const Posted& b) {
  return a.kind == b.kind && a.count == b.count && a.data_type == b.data_type && a.operation == b.operation;
}

OutputPart copied(const Posted& from, std::uint64_t offset) {
  const ElementFormat format = format_of_type(from.data_type);
  return {offset, from.part.size(), std::make_shared<Copied>(from.part, format), format};
}

Output output_of(const Posted& mine, int rank, const std::vector<const Posted*>& of_all) {
  const ElementFormat format = format_of_type(mine.data_type);
  const std::uint64_t bytes = mine.count * bytes_of_type(mine.data_type);
  Output output;
  if (mine.kind == NcclKind::all_gather) {
    for (std::size_t from = 0; from < of_all.size(); ++from) output.push_back(copied(*of_all[from], from * bytes));
    return output;
  }
  std::vector<Elements> parts;
  parts.reserve(of_all.size());
  for (const Posted* posted : of_all) parts.emplace_back(posted->part, format);
  std::shared_ptr<const ElementRecipe> reduced =
      std::make_shared<Reduced>(std::move(parts), format, mine.operation == nccl::kMax);
  if (mine.kind == NcclKind::reduce_scatter)
    reduced = std::make_shared<Shifted>(reduced, static_cast<std::uint64_t>(rank) * mine.count);
  output.push_back({0, bytes, reduced, format});
  return output;
}

}  // namespace

ElementFormat format_of_type(int data_type) {
  switch (data_type) {
    case nccl::kInt8: return ElementFormat::int8;
    case nccl::kFloat16: return ElementFormat::fp16;
    case nccl::kFloat32: return ElementFormat::fp32;
    case nccl::kFloat64: return ElementFormat::fp64;
    case nccl::kBfloat16: return ElementFormat::bf16;
    default: throw NcclFailure{nccl::kInvalidArgument};
  }
}

unsigned bytes_of_type(int data_type) { return kernels::bits_of(format_of_type(data_type)) / 8; }

std::uint64_t bytes_handed_in(const Posted& posted, int ranks) {
  const std::uint64_t bytes = posted.count * bytes_of_type(posted.data_type);
  if (posted.kind == NcclKind::receive) return 0;
  return posted.kind == NcclKind::reduce_scatter ? bytes * static_cast<std::uint64_t>(ranks) : bytes;
}

void require_matching(const std::vector<PostedGroup>& all) {
  for (std::size_t rank = 0; rank < all.size(); ++rank) (void)outputs_of(static_cast<int>(rank), all);
}

std::vector<Output> outputs_of(int rank, const std::vector<PostedGroup>& all) {
  std::vector<Output> outputs;
  std::size_t collective = 0;
  std::map<int, std::size_t> received;  // by sender
  for (const Posted& mine : all.at(static_cast<std::size_t>(rank))) {
    Output output;
    if (is_collective(mine)) {
      std::vector<const Posted*> of_all;
      for (const PostedGroup& group : all) {
        const auto theirs = collectives_of(group);
        if (theirs.size() <= collective || !alike(*theirs[collective], mine)) throw NcclFailure{nccl::kInvalidUsage};
        of_all.push_back(theirs[collective]);
      }
      output = output_of(mine, rank, of_all);
      ++collective;
    } else if (mine.kind == NcclKind::receive) {
      const auto sends = sent(all, mine.peer, rank);
      const std::size_t number = received[mine.peer]++;
      if (number >= sends.size() || sends[number]->count != mine.count || sends[number]->data_type != mine.data_type)
        throw NcclFailure{nccl::kInvalidUsage};
      output = {copied(*sends[number], 0)};
    }
    outputs.push_back(std::move(output));
  }
  // What nobody receives would wait for ever.
  for (std::size_t from = 0; from < all.size(); ++from) {
    const int sender = static_cast<int>(from);
    if (sent(all, sender, rank).size() != received[sender]) throw NcclFailure{nccl::kInvalidUsage};
  }
  return outputs;
}

}  // namespace gpuassay::fake
