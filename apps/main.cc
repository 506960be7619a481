// apps/main.cc: the one program, `pawsight`. Each command is in the file of its name.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/commands.h"

namespace pawsight {
namespace {

constexpr const char* kFooter = R"(Examples:
  pawsight demo                                     watch drawn rooms, get an alert
  pawsight ask photo.jpg -q "Is there a cat?"       ask a photo
  pawsight ask *.jpg -q "Is there a dog?" --json    one JSON object a line
  pawsight watch rtsp://camera/stream -q "Is the dog on the couch?" --for 5
  pawsight worker --listen-http 127.0.0.1:8000      serve the model by the Open Inference Protocol
  pawsight gateway                                  cameras in, alerts out: the API and the page
  pawsight model check DIR --golden goldens.safetensors
  pawsight doctor                                   what this machine can do
  pawsight bench                                    what a frame and its questions cost here
  pawsight stress                                   what one instance holds, and how to run it
  pawsight cost RESULT.json --instance c7i.large    what a camera costs a month

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 environment, 4 unreachable, 130 interrupted.
`pawsight COMMAND --help` tells the rest.)";

int Run(int argc, char** argv) {
  int exit_code = kExitOk;
  CLI::App program("Asks plain yes/no questions of camera frames and tells you when an answer matters.", "pawsight");
  program.set_version_flag("--version", "pawsight " PAWSIGHT_VERSION);
  program.footer(kFooter);
  program.require_subcommand(1);
  AddDemoCommand(program, &exit_code);
  AddAskCommand(program, &exit_code);
  AddWatchCommand(program, &exit_code);
  AddWorkerCommand(program, &exit_code);
  AddGatewayCommand(program, &exit_code);
  AddCompileCommand(program, &exit_code);
  AddModelCommand(program, &exit_code);
  AddDoctorCommand(program, &exit_code);
  AddBenchCommand(program, &exit_code);
  AddStressCommand(program, &exit_code);
  AddCostCommand(program, &exit_code);
  AddScenesCommand(program, &exit_code);
  AddCompletionCommand(program, &exit_code);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return exit_code;
}

}  // namespace

int ReportError(const Status& status) {
  std::fprintf(stderr, "pawsight: %s\n", status.message().c_str());
  switch (status.code()) {
    case StatusCode::kOk: return kExitOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange: return kExitUsage;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded: return kExitUnreachable;
    case StatusCode::kCancelled: return kExitInterrupted;
    case StatusCode::kUnknown:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kPermissionDenied:
    case StatusCode::kResourceExhausted:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted:
    case StatusCode::kUnimplemented:
    case StatusCode::kInternal:
    case StatusCode::kDataLoss:
    case StatusCode::kUnauthenticated: return kExitEnvironment;
  }
  return kExitEnvironment;
}

int ReportEnvironmentError(const Status& status) {
  (void)ReportError(status);  // the code it suggests is for flags
  return kExitEnvironment;
}

}  // namespace pawsight

int main(int argc, char** argv) { return pawsight::Run(argc, argv); }
