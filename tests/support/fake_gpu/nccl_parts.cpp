#include "tests/support/fake_gpu/nccl_parts.h"

#include <cstring>
#include <memory>
#include <stdexcept>

namespace gpuassay::fake {
namespace {

enum class PieceKind : std::uint32_t { nothing, filled, bytes };

class Packer {
 public:
  template <class Number>
  void put(Number number) {
    const auto* const raw = reinterpret_cast<const char*>(&number);
    text.append(raw, sizeof number);
  }
  std::string text;
};

class Unpacker {
 public:
  explicit Unpacker(const std::string& text) : text_(text) {}
  template <class Number>
  Number get() {
    Number number{};
    const std::string raw = take(sizeof number);
    std::memcpy(&number, raw.data(), sizeof number);
    return number;
  }
  std::string take(std::size_t size) {
    if (size > text_.size() - at_) throw std::runtime_error("a message between ranks is cut off");
    at_ += size;
    return text_.substr(at_ - size, size);
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

void pack(Packer& packer, const View& part) {
  packer.put(part.size());
  if (part.size() == 0) return packer.put(PieceKind::nothing);
  const Piece* piece = part.single();
  const auto* fill = piece == nullptr ? nullptr : dynamic_cast<const Fill*>(piece->recipe.get());
  if (fill != nullptr && piece->skip % fill->element_bytes() == 0) {
    packer.put(PieceKind::filled);
    packer.put(fill->format());
    packer.put(fill->seed());
    packer.put(fill->first_index() + piece->skip / fill->element_bytes());
    return;
  }
  packer.put(PieceKind::bytes);
  std::string raw(part.size(), '\0');
  part.read(0, std::as_writable_bytes(std::span(raw)));
  packer.text += raw;
}

View unpack_part(Unpacker& unpacker) {
  const auto size = unpacker.get<std::uint64_t>();
  const auto kind = unpacker.get<PieceKind>();
  if (kind == PieceKind::nothing) return {};
  RecipePointer recipe;
  if (kind == PieceKind::filled) {
    const auto format = unpacker.get<kernels::ElementFormat>();
    const auto seed = unpacker.get<std::uint64_t>();
    recipe = std::make_shared<Fill>(format, seed, unpacker.get<std::uint64_t>());
  } else {
    const std::string raw = unpacker.take(size);
    recipe = std::make_shared<HostBytes>(std::as_bytes(std::span(raw)));
  }
  return {{{0, Piece{size, recipe, 0}}}, size};
}

}  // namespace

std::string packed(const PostedGroup& group) {
  Packer packer;
  packer.put(static_cast<std::uint64_t>(group.size()));
  for (const Posted& posted : group) {
    packer.put(posted.kind);
    packer.put(posted.count);
    packer.put(posted.data_type);
    packer.put(posted.operation);
    packer.put(posted.peer);
    pack(packer, posted.part);
  }
  return packer.text;
}

PostedGroup unpacked(const std::string& text) {
  Unpacker unpacker(text);
  PostedGroup group;
  const auto count = unpacker.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) {
    Posted posted;
    posted.kind = unpacker.get<NcclKind>();
    posted.count = unpacker.get<std::uint64_t>();
    posted.data_type = unpacker.get<int>();
    posted.operation = unpacker.get<int>();
    posted.peer = unpacker.get<int>();
    posted.part = unpack_part(unpacker);
    group.push_back(std::move(posted));
  }
  return group;
}

}  // namespace gpuassay::fake
