#include "collector/options_dataset.h"

#include <CLI/CLI.hpp>

#include "core/error.h"

namespace gpuassay {
namespace {

void add_store_options(CLI::App& command, std::string& data_dir, DatabaseChoice& database) {
  command.add_option("--data-dir", data_dir, "Folder of database and key")->type_name("DIR");
  add_database_options(command, database);
}

void require_data_dir(const std::string& data_dir) {
  if (data_dir.empty()) throw Error(ErrorCode::usage, "--data-dir is required: the folder of database and key");
}

}  // namespace

DatasetOptions::DatasetOptions(CLI::App& app)
    : export_(app.add_subcommand("export", "Write the dataset as Parquet files, with documents and metadata")),
      retract_(app.add_subcommand("retract", "Take runs out of the dataset for good, or all runs of a key")),
      vouch_(app.add_subcommand("vouch", "Let the runs of a contributor whom you know count in headlines")),
      verify_(app.add_subcommand("verify", "Check everything that is stored, or proofs of a collector's public log")),
      reassess_(app.add_subcommand("reassess",
                                   "Compute score and quarantine of every stored run anew, as after an upgrade")) {
  add_store_options(*export_, export_options_.data_dir, export_options_.database);
  export_
      ->add_option("--parquet", export_options_.target, "Folder to write; a former export there is replaced at the end")
      ->type_name("DIR");
  export_
      ->add_option("--suppress-below", export_options_.suppress_below,
                   "Leave out what tells machines apart where fewer than N measured the same offer; 0: never")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000));
  export_->add_option("--duckdb", export_options_.duckdb, "The program that writes Parquet")
      ->type_name("PROGRAM")
      ->capture_default_str();
  export_->add_flag("--data-dictionary", prints_dictionary_, "Print what every column means, and export nothing");
  add_store_options(*retract_, retract_options_.data_dir, retract_options_.database);
  retract_->add_option("RUN_ID", retract_options_.run_ids, "The runs");
  retract_->add_option("--key", retract_options_.key, "All runs that this key signed; the key is revoked")
      ->type_name("BASE64");
  add_store_options(*vouch_, vouch_options_.data_dir, vouch_options_.database);
  vouch_->add_option("--key", vouch_options_.key, "The key that signs the runs of the contributor's machine")
      ->type_name("BASE64")
      ->required();
  vouch_->add_flag("--withdraw", vouch_options_.withdraw, "Vouch for it no more");
  add_verify();
  add_store_options(*reassess_, reassess_options_.data_dir, reassess_options_.database);
}

void DatasetOptions::add_verify() {
  add_store_options(*verify_, verify_options_.data_dir, verify_options_.database);
  verify_->add_option("--former-key", verify_options_.former_keys, "Another key that signed receipts; repeatable")
      ->type_name("BASE64")
      ->allow_extra_args(false);
  const auto add_file = [this](const char* name, auto& target, const char* help) {
    return verify_->add_option(name, target, help)->type_name("FILE")->allow_extra_args(false);
  };
  auto* const checkpoint =
      add_file("--checkpoint", proofs_options_.checkpoint, "Check a public log, not a store: /v1/log/checkpoint");
  add_file("--saved", proofs_options_.saved,
           "The checkpoint of the last time; replaced by the new one when all is well")
      ->needs(checkpoint);
  add_file("--consistency", proofs_options_.consistency, "/v1/log/consistency from the one to the other")
      ->needs(checkpoint);
  add_file("--receipt", proofs_options_.receipts, "RUN_ID.receipt.json of an upload; repeatable")->needs(checkpoint);
  add_file("--inclusion", proofs_options_.inclusions,
           "/v1/log/inclusion of its run; one for each --receipt, in that order")
      ->needs(checkpoint);
}

DatasetCommand DatasetOptions::chosen_verify() const {
  if (proofs_options_.checkpoint.empty()) {
    require_data_dir(verify_options_.data_dir);
    require_postgres_url(verify_options_.database);
    return verify_options_;
  }
  if (!verify_options_.data_dir.empty())
    throw Error(ErrorCode::usage,
                "--checkpoint checks a log from files and needs no --data-dir; leave one of them out");
  VerifyProofsOptions proofs = proofs_options_;
  proofs.former_keys = verify_options_.former_keys;
  return proofs;
}

std::optional<DatasetCommand> DatasetOptions::chosen() const {
  if (export_->parsed()) {
    if (prints_dictionary_) return DataDictionaryOptions{};
    require_data_dir(export_options_.data_dir);
    require_postgres_url(export_options_.database);
    if (export_options_.target.empty()) throw Error(ErrorCode::usage, "--parquet is required: the folder to write");
    return export_options_;
  }
  if (retract_->parsed()) {
    require_data_dir(retract_options_.data_dir);
    require_postgres_url(retract_options_.database);
    if (retract_options_.run_ids.empty() == retract_options_.key.empty())
      throw Error(ErrorCode::usage, "say which runs to take out: either their run_ids or --key");
    return retract_options_;
  }
  if (vouch_->parsed()) {
    require_data_dir(vouch_options_.data_dir);
    require_postgres_url(vouch_options_.database);
    return vouch_options_;
  }
  if (reassess_->parsed()) {
    if (!reassess_options_.database.url) require_data_dir(reassess_options_.data_dir);
    require_postgres_url(reassess_options_.database);
    return reassess_options_;
  }
  if (!verify_->parsed()) return std::nullopt;
  return chosen_verify();
}

}  // namespace gpuassay
