// apps/commands.h: the commands of the one program, each in the file of its name. A command adds itself to `program`;
// when it is chosen it runs and leaves the process's exit code in *exit_code.
#pragma once

#include "base/status.h"

namespace CLI {
class App;
}

namespace pawsight {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;       // a check failed, an image could not be read
inline constexpr int kExitUsage = 2;        // flags or arguments are wrong
inline constexpr int kExitEnvironment = 3;  // a model, package or permission is missing
inline constexpr int kExitUnreachable = 4;  // a camera or server does not answer
inline constexpr int kExitInterrupted = 130;

inline constexpr int kDemoPort = 8077;  // of the demo's page; when it is taken and was not asked for, any free one

/// Prints "pawsight: message" to standard error and gives the exit code: kUnavailable is unreachable, kInvalidArgument
/// usage, all else environment.
int ReportError(const Status& status);
/// The same where no flag is at fault, as when a model does not open: always kExitEnvironment.
int ReportEnvironmentError(const Status& status);

void AddAskCommand(CLI::App& program, int* exit_code);
void AddBenchCommand(CLI::App& program, int* exit_code);
void AddCompileCommand(CLI::App& program, int* exit_code);
void AddCompletionCommand(CLI::App& program, int* exit_code);
void AddCostCommand(CLI::App& program, int* exit_code);
void AddDemoCommand(CLI::App& program, int* exit_code);
void AddDoctorCommand(CLI::App& program, int* exit_code);
void AddGatewayCommand(CLI::App& program, int* exit_code);
void AddModelCommand(CLI::App& program, int* exit_code);
void AddScenesCommand(CLI::App& program, int* exit_code);
void AddStressCommand(CLI::App& program, int* exit_code);
void AddWatchCommand(CLI::App& program, int* exit_code);
void AddWorkerCommand(CLI::App& program, int* exit_code);

}  // namespace pawsight
