// Whatever a price file holds: the first byte says which format is tried.
#include "core/price_formats.h"
#include "core/price_store.h"
#include "core/sqlite.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace gpuassay;
  if (size == 0) return 0;
  const auto formats = price_formats();
  const PriceFormat& format = formats[data[0] % formats.size()];
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  static const SourceContext context{"file", "aws", read_as_of("2026-06-01")};
  try {
    ByteSource source = ByteSource::from_text(text);
    PriceImport import = format.read(source, context);
    SqliteDatabase database(":memory:");
    PriceStore(database).store(std::move(import));
  } catch (const Error& error) {  // refused as a whole; anything else that is thrown is a finding
    if (error.code() != ErrorCode::unreadable_input && error.code() != ErrorCode::usage) throw;
  }
  return 0;
}
