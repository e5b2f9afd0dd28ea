#include "collector/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace gpuassay {
namespace {

constexpr int kGzipOnly = 15 + 16;  // the largest window, and the format of gzip instead of zlib's
constexpr std::size_t kPieceBytes = 64U << 10U;

/// zlib counts in unsigned int and does not write to its input.
void set_input(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

struct Inflate {
  Inflate() {
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflate() { inflateEnd(&stream); }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;
  z_stream stream{};
};

}  // namespace

GunzipStatus gunzip(std::string_view packed, std::size_t most_bytes, std::string& unpacked) {
  Inflate inflating;
  z_stream& stream = inflating.stream;
  set_input(stream, packed);
  unpacked.clear();
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t have = unpacked.size();
    // One byte more than allowed tells a text that just fits from one that does not.
    const std::size_t room = std::min(kPieceBytes, most_bytes + 1 - have);
    unpacked.resize(have + room);
    stream.next_out = reinterpret_cast<Bytef*>(unpacked.data() + have);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    unpacked.resize(have + room - stream.avail_out);
    if (unpacked.size() > most_bytes) return GunzipStatus::too_large;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
  }
  // Z_BUF_ERROR: the input ended too early.
  return status == Z_STREAM_END && stream.avail_in == 0 ? GunzipStatus::ok : GunzipStatus::broken;
}

struct GzipWriter::Deflate {
  Deflate() {
    constexpr int kUsualMemory = 8;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipOnly, kUsualMemory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Deflate() { deflateEnd(&stream); }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;

  std::string write(std::string_view piece, int flush) {
    set_input(stream, piece);
    std::string packed;
    do {
      const std::size_t have = packed.size();
      packed.resize(have + kPieceBytes);
      stream.next_out = reinterpret_cast<Bytef*>(packed.data() + have);
      stream.avail_out = static_cast<uInt>(kPieceBytes);
      deflate(&stream, flush);
      packed.resize(have + kPieceBytes - stream.avail_out);
    } while (stream.avail_out == 0);
    return packed;
  }
  z_stream stream{};
};

GzipWriter::GzipWriter() : deflate_(std::make_unique<Deflate>()) {}
GzipWriter::~GzipWriter() = default;
GzipWriter::GzipWriter(GzipWriter&&) noexcept = default;
GzipWriter& GzipWriter::operator=(GzipWriter&&) noexcept = default;

std::string GzipWriter::add(std::string_view piece) { return deflate_->write(piece, Z_NO_FLUSH); }
std::string GzipWriter::finish() { return deflate_->write({}, Z_FINISH); }

}  // namespace gpuassay
