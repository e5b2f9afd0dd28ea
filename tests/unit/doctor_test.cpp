#include "agent/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/dynlib/driver_problem.h"

namespace gpuassay {
namespace {

Device gpu(int index, const std::string& name, const std::string& capability) {
  Device device;
  device.index = index;
  device.kind = DeviceKind::cuda;
  device.name = name;
  device.compute_capability = capability;
  device.driver_version = "550.54.15";
  return device;
}

Library chosen(const std::string& name, const std::string& version, const std::string& chosen_for = "cuda") {
  return {name, version, "python", chosen_for, std::nullopt};
}
Library absent(const std::string& name) { return {name, std::nullopt, "absent", std::nullopt, "none is installed"}; }

/// One T4 with everything.
DoctorFacts healthy_t4() {
  DoctorFacts facts;
  facts.machine.inventory.devices = {gpu(0, "Tesla T4", "7.5")};
  facts.machine.inventory.libraries = {chosen("cuda_driver", "550.54.15"), chosen("cublas", "12.4.5"),
                                       chosen("cublaslt", "12.4.5"), chosen("cudnn", "9.1.0")};
  facts.machine.inventory.host.container = "none";
  facts.machine.selections[0].nvml = LibraryCandidate{"libnvidia-ml.so.1", "/lib/libnvidia-ml.so.1", "system", false};
  facts.machine.driver_cuda_version = 12040;
  facts.on_pci_bus = {"10de:1eb8"};
  facts.nodes.found = {"/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"};
  facts.onednn = {"onednn", "2.7.4", "system", "cpu", std::nullopt};
  facts.os_id = "ubuntu";
  facts.os_like = "debian";
  facts.data_dir = "/home/me/.local/share/gpuassay";
  return facts;
}

/// The same machine when its driver shows nothing.
DoctorFacts t4_with_problem(const DriverSight& sight) {
  DoctorFacts facts = healthy_t4();
  facts.machine.inventory.devices.clear();
  facts.machine.inventory.libraries.clear();
  facts.machine.selections.clear();
  facts.machine.driver_cuda_version = sight.cuda_version;
  facts.machine.driver_problem = problem_of(sight);
  facts.machine.problem = "the PCI bus shows an NVIDIA GPU that CUDA cannot use";
  return facts;
}

DriverSight no_driver() { return {}; }
DriverSight no_device() {
  DriverSight sight;
  sight.outcome = DriverSight::Outcome::answered;
  sight.cuda_version = 12040;
  sight.init_result = 100;
  return sight;
}

Check check_of(const Diagnosis& diagnosis, const std::string& name) {
  for (const Check& check : diagnosis.checks) {
    if (check.name == name) return check;
  }
  ADD_FAILURE() << "there is no check " << name;
  return {};
}

bool has_check(const Diagnosis& diagnosis, const std::string& name) {
  return std::any_of(diagnosis.checks.begin(), diagnosis.checks.end(),
                     [&](const Check& check) { return check.name == name; });
}

TEST(Doctor, NothingToDoOnAHealthyMachine) {
  const Diagnosis diagnosis = diagnose(healthy_t4());
  EXPECT_EQ(diagnosis.exit_code, 0);
  EXPECT_EQ(diagnosis.measures, DeviceKind::cuda);
  for (const Check& check : diagnosis.checks) {
    EXPECT_EQ(check.state, CheckState::ok) << check.name << ": " << check.what;
    EXPECT_FALSE(check.what.empty()) << check.name;
    EXPECT_EQ(check.remedy.advice + check.remedy.command, "") << check.name;
  }
  EXPECT_EQ(check_of(diagnosis, "driver").what, "550.54.15 (CUDA 12.4)");
  EXPECT_EQ(check_of(diagnosis, "gpu").what, "Tesla T4 (compute capability 7.5)");
  EXPECT_EQ(check_of(diagnosis, "cublas").what, "12.4.5 (python)");
}

TEST(Doctor, AMachineWithoutAGpuIsMeasuredByItsCpu) {
  DoctorFacts facts = t4_with_problem(no_driver());
  facts.machine.problem.reset();
  facts.machine.inventory.devices = {Device{}};
  facts.on_pci_bus.clear();
  facts.nodes = {};
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.exit_code, 0);
  EXPECT_EQ(diagnosis.measures, DeviceKind::cpu);
  EXPECT_EQ(check_of(diagnosis, "gpu").state, CheckState::none);
  EXPECT_FALSE(has_check(diagnosis, "driver"));
  EXPECT_FALSE(has_check(diagnosis, "cublas"));
  // A control file without a device file is no sign of a GPU: images bring it.
  facts.nodes = {{"/dev/nvidiactl"}, {"/dev/nvidiactl: No such device or address"}};
  EXPECT_FALSE(has_check(diagnose(facts), "device_files"));
  // A toolkit's stub or a broken driver is worth a word all the same.
  DriverSight stub = no_device();
  stub.init_result = 34;
  facts.machine.driver_problem = problem_of(stub);
  EXPECT_EQ(check_of(diagnose(facts), "driver").state, CheckState::broken);
}

TEST(Doctor, TheCpuNeedsOneDnn) {
  DoctorFacts facts = t4_with_problem(no_driver());
  facts.on_pci_bus.clear();
  facts.nodes = {};
  facts.onednn = {"onednn", std::nullopt, "absent", std::nullopt, "libdnnl.so.2 was not found; install oneDNN 2"};
  facts.machine.problem = facts.onednn.rejected_reason;
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.exit_code, 3);
  EXPECT_EQ(diagnosis.measures, std::nullopt);
  const Check check = check_of(diagnosis, "onednn");
  EXPECT_EQ(check.state, CheckState::missing);
  EXPECT_EQ(check.what, "libdnnl.so.2 was not found");
  EXPECT_EQ(check.remedy.advice, "install oneDNN 2");
  // Beside a GPU it is needed only where it is asked for.
  DoctorFacts beside = healthy_t4();
  beside.onednn = facts.onednn;
  EXPECT_EQ(diagnose(beside).exit_code, 0);
  EXPECT_NE(check_of(diagnose(beside), "onednn").what.find("--device cpu only"), std::string::npos);
}

TEST(Doctor, AMissingDriverIsInstalledOnAHostAndPassedIntoAContainer) {
  DoctorFacts facts = t4_with_problem(no_driver());
  facts.nodes = {};
  const Diagnosis host = diagnose(facts);
  EXPECT_EQ(host.exit_code, 3);
  EXPECT_EQ(check_of(host, "gpu").what, "Tesla T4 (10de:1eb8)");
  EXPECT_EQ(check_of(host, "driver").state, CheckState::missing);
  EXPECT_EQ(check_of(host, "driver").remedy.command, "sudo apt-get install nvidia-driver-580");
  EXPECT_EQ(check_of(host, "device_files").state, CheckState::missing);

  facts.machine.inventory.host.container = "docker";
  const Diagnosis container = diagnose(facts);
  EXPECT_EQ(check_of(container, "device_files").remedy.command, "docker run --gpus all IMAGE");
  EXPECT_EQ(check_of(container, "driver").remedy.command, "docker run --gpus all IMAGE");
  EXPECT_NE(check_of(container, "driver").remedy.advice.find("nvidia-container-toolkit"), std::string::npos);
}

TEST(Doctor, DeviceFilesThatAreNotThereOrNotToBeOpened) {
  DoctorFacts facts = t4_with_problem(no_device());
  facts.nodes = {{"/dev/nvidiactl"}, {}};
  const Check missing = check_of(diagnose(facts), "device_files");
  EXPECT_EQ(missing.state, CheckState::missing);
  EXPECT_EQ(missing.what, "there is no /dev/nvidia0, /dev/nvidia-uvm");
  EXPECT_NE(missing.remedy.command.find("modprobe"), std::string::npos);

  facts.nodes = {{"/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl"}, {"/dev/nvidia0: Permission denied"}};
  const Check broken = check_of(diagnose(facts), "device_files");
  EXPECT_EQ(broken.state, CheckState::broken);
  EXPECT_EQ(broken.what, "/dev/nvidia0: Permission denied");
  EXPECT_EQ(broken.remedy.command, "sudo chmod 666 /dev/nvidia*");
  facts.machine.inventory.host.container = "docker";
  EXPECT_NE(check_of(diagnose(facts), "device_files").remedy.advice.find("restart the container"), std::string::npos);

  facts.nodes.unusable.clear();
  EXPECT_EQ(check_of(diagnose(facts), "device_files").state, CheckState::ok);
  const Check driver = check_of(diagnose(facts), "driver");
  EXPECT_EQ(driver.state, CheckState::broken);
  EXPECT_EQ(driver.what, "the NVIDIA driver finds no GPU (100)");
  EXPECT_EQ(driver.remedy.command, "docker run --gpus all IMAGE");
}

TEST(Doctor, ADriverThatIsTooOld) {
  DriverSight old = no_device();
  old.cuda_version = 10020;
  const Check check = check_of(diagnose(t4_with_problem(old)), "driver");
  EXPECT_EQ(check.state, CheckState::broken);
  EXPECT_NE(check.what.find("CUDA 10.2"), std::string::npos);
  EXPECT_EQ(check.remedy.command, "sudo apt-get install nvidia-driver-580");
}

TEST(Doctor, AMissingLibraryIsANoteWithTheCommandForThisGpuAndDriver) {
  DoctorFacts facts = healthy_t4();
  facts.machine.inventory.libraries = {absent("cublas"), absent("cublaslt"), absent("cudnn")};
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.exit_code, 0) << "our own kernels still measure";
  EXPECT_EQ(check_of(diagnosis, "cublas").state, CheckState::missing);
  EXPECT_EQ(check_of(diagnosis, "cublas").remedy.command, "pip install nvidia-cublas-cu12==12.9.1.4");
  EXPECT_EQ(check_of(diagnosis, "cudnn").remedy.command, "pip install nvidia-cudnn-cu12==9.19.0.56");
}

TEST(Doctor, WithoutCublasLtCublasIsLeft) {
  DoctorFacts facts = healthy_t4();
  facts.machine.inventory.libraries[2] = absent("cublaslt");
  const Check check = check_of(diagnose(facts), "cublas");
  EXPECT_EQ(check.state, CheckState::missing);
  EXPECT_NE(check.what.find("left to cuBLAS"), std::string::npos);
  EXPECT_EQ(check.remedy.command, "pip install nvidia-cublas-cu12==12.9.1.4");
}

TEST(Doctor, ALibraryThatDoesNotFitIsNamedWithItsReason) {
  DoctorFacts facts = healthy_t4();
  facts.machine.inventory.devices = {gpu(0, "Tesla V100", "7.0")};
  facts.machine.driver_cuda_version = 13000;
  facts.machine.inventory.libraries[3] = {"cudnn", "9.19.0", "python", std::nullopt,
                                          "version 9.19.0 has no kernels for compute capability 7.0"};
  const Check check = check_of(diagnose(facts), "cudnn");
  EXPECT_EQ(check.state, CheckState::broken);
  EXPECT_EQ(check.what,
            "version 9.19.0 has no kernels for compute capability 7.0 (python); without another one no convolution "
            "is measured, nor a score");
  EXPECT_EQ(check.remedy.command, "pip install nvidia-cudnn-cu12==9.10.2.21");
}

TEST(Doctor, EveryKindOfGpuHasItsOwnLibraries) {
  DoctorFacts facts = healthy_t4();
  facts.machine.inventory.devices = {gpu(0, "Tesla K80", "3.7"), gpu(1, "Tesla T4", "7.5"), gpu(2, "Tesla T4", "7.5")};
  facts.machine.selections[1].nvml = facts.machine.selections[2].nvml = facts.machine.selections[0].nvml;
  facts.machine.driver_cuda_version = 11040;
  facts.machine.inventory.libraries = {chosen("cublas", "11.11.3", "cuda 3.7"), chosen("cublas", "11.11.3", "cuda 7.5"),
                                       chosen("cublaslt", "11.11.3", "cuda 7.5"), chosen("cudnn", "9.10.2", "cuda 7.5"),
                                       absent("cudnn")};
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(check_of(diagnosis, "gpu").what,
            "Tesla K80 (compute capability 3.7), 2 x Tesla T4 (compute capability 7.5)");
  EXPECT_EQ(check_of(diagnosis, "cublas 3.7").what, "11.11.3 (python)") << "cuBLAS itself: no cuBLASLt serves Kepler";
  EXPECT_EQ(check_of(diagnosis, "cublas 7.5").state, CheckState::ok);
  EXPECT_EQ(check_of(diagnosis, "cudnn 3.7").remedy.command, "pip install nvidia-cudnn-cu11==8.5.0.96");
  EXPECT_EQ(check_of(diagnosis, "cudnn 7.5").state, CheckState::ok);
}

TEST(Doctor, WithoutNvmlTelemetryIsMissingAndNothingElse) {
  DoctorFacts facts = healthy_t4();
  facts.machine.selections.clear();
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(check_of(diagnosis, "nvml").state, CheckState::missing);
  EXPECT_EQ(diagnosis.exit_code, 0);
}

TEST(Doctor, ADataDirectoryThatCannotBeWrittenEndsAsARunWould) {
  DoctorFacts facts = healthy_t4();
  facts.data_dir_problem = "cannot make the folder /x: Permission denied; use --data-dir with a directory you own";
  const Diagnosis diagnosis = diagnose(facts);
  EXPECT_EQ(diagnosis.exit_code, 6);
  EXPECT_EQ(check_of(diagnosis, "data_dir").state, CheckState::broken);
  EXPECT_EQ(check_of(diagnosis, "data_dir").remedy.advice, "use --data-dir with a directory you own");
  DoctorFacts nothing = t4_with_problem(no_driver());
  nothing.data_dir_problem = facts.data_dir_problem;
  EXPECT_EQ(diagnose(nothing).exit_code, 3);
}

TEST(Doctor, FewerGpusThanThePciBusShowsIsSaid) {
  DoctorFacts facts = healthy_t4();
  facts.on_pci_bus = {"10de:1eb8", "10de:1eb8"};
  EXPECT_EQ(check_of(diagnose(facts), "gpu").what, "Tesla T4 (compute capability 7.5); the PCI bus shows 2, CUDA 1");
}

}  // namespace
}  // namespace gpuassay
