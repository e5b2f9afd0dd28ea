#include "agent/price_database.h"

#include "core/price_store.h"

namespace gpuassay {
namespace {

/// Copies the prices of a database file into one in memory; prices in other currencies wait for rates again.
void copy_prices(Database& memory, const std::filesystem::path& file) {
  {
    Statement attach(memory, "ATTACH ? AS disk");
    attach.bind(1, std::string_view(file.string())).run();
  }
  memory.execute(
      "INSERT INTO main.price SELECT * FROM disk.price;"
      "DETACH disk;"
      "UPDATE price SET fx_rate = NULL, fx_date = NULL, fx_source = NULL, price_instance_hour_usd_micro = NULL, "
      "price_gpu_hour_usd_micro = NULL WHERE currency <> 'USD'");
}

}  // namespace

SqliteDatabase open_prices(const std::filesystem::path& data_dir) {
  const std::filesystem::path file = data_dir / "prices.db";
  std::error_code problem;
  // An import of a million prices holds the file for some seconds when it ends.
  constexpr int kLongestWaitMs = 15'000;
  SqliteDatabase database(std::filesystem::exists(file, problem) ? file.string() : ":memory:",
                          SqliteDatabase::Mode::read_write_create, kLongestWaitMs);
  add_bundled_prices(database);
  return database;
}

SqliteDatabase open_named_prices(const std::filesystem::path& data_dir, const std::optional<PriceFileOptions>& file,
                                 const std::optional<std::filesystem::path>& rates, ImportReport& report) {
  if (!file && !rates) return open_prices(data_dir);
  std::vector<FxRate> named_rates;
  if (rates) named_rates = read_rate_file(rates->string());
  SqliteDatabase database(":memory:");
  PriceStore store(database);
  if (file) {
    PriceImport import = read_price_file(*file, FxTable(named_rates));
    report = import.report;
    store.store_rates(named_rates);
    store.store(std::move(import));
    return database;
  }
  const std::filesystem::path own = data_dir / "prices.db";
  std::error_code problem;
  if (std::filesystem::exists(own, problem)) {
    {
      const SqliteDatabase updated = open_prices(data_dir);
    }  // brings the file's tables up to date
    copy_prices(database, own);
  } else {
    add_bundled_prices(database);
  }
  store.store_rates(named_rates);
  return database;
}

}  // namespace gpuassay
