// tests/tile_emulator.cc: a library to preload (LD_PRELOAD) on a processor with AVX-512 and without AMX. The processor
// refuses the tile instructions with SIGILL; the handler here reads the refused one and does what it would have done
// (Intel SDM volume 2, VEX.128 map 0F38, W0), over kernels/amx/emulated_tiles.h. So the compiled kernels run as they
// are, operands and registers included, some thousand times slower. kernels/choose.cc finds the library by its one
// symbol.
//
// An instruction that is none of a tile, and a tile used as the SDM forbids, end the program by SIGILL as ever.
#if defined(__x86_64__)

#include <signal.h>

#include <cstddef>
#include <cstdint>

#include "kernels/amx/emulated_tiles.h"

extern "C" int PawsightEmulatesTiles();
extern "C" int PawsightEmulatesTiles() { return 1; }

namespace pawsight::kernels {
namespace {

/// Register number in an instruction -> where the signal's context has it.
constexpr int kRegisters[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/// The prefix that stands for one before VEX.
enum Prefix { kNone = 0, k66 = 1, kF3 = 2, kF2 = 3 };

struct Instruction {
  int prefix = 0;
  int opcode = 0;
  int reg = 0;    // ModRM.reg
  int rm = 0;     // ModRM.rm, where it is a register
  int third = 0;  // VEX.vvvv
  bool memory = false;
  uint8_t* address = nullptr;  // of the first row
  ptrdiff_t stride = 0;
  int length = 0;
};

/// False: not VEX.128.0F38.W0, or a register beyond the eighth, or what the SDM refuses of an instruction with one
/// operand less.
bool Decode(const uint8_t* code, const greg_t* registers, Instruction* out) {
  if (code[0] != 0xC4 || (code[1] & 0x9F) != 0x82 || (code[2] & 0x84) != 0) return false;
  const bool high_index = (code[1] & 0x40) == 0;
  const bool high_base = (code[1] & 0x20) == 0;
  out->prefix = code[2] & 3;
  out->third = ~(code[2] >> 3) & 15;
  out->opcode = code[3];
  const int mode = code[4] >> 6;
  out->reg = (code[4] >> 3) & 7;
  out->rm = code[4] & 7;
  out->memory = mode != 3;
  out->length = 5;
  const bool two_operands = out->opcode == 0x49 || out->opcode == 0x4B;
  if (two_operands && out->third != 0) return false;
  if (out->opcode == 0x4B && out->rm != 4) return false;  // a tile's rows need an index
  if (!out->memory) return !high_index && !high_base && out->third < kNumTiles;

  const auto value = [registers](int number) { return registers[kRegisters[number]]; };
  int base = out->rm;
  bool no_base = mode == 0 && base == 5;  // relative to the next instruction
  bool relative = no_base;
  greg_t address = 0;
  if (out->rm == 4) {
    const uint8_t sib = code[out->length++];
    base = sib & 7;
    no_base = mode == 0 && base == 5;
    relative = false;
    const int index = ((sib >> 3) & 7) | (high_index ? 8 : 0);
    if (index != 4) out->stride = static_cast<ptrdiff_t>(value(index)) * (ptrdiff_t{1} << (sib >> 6));
  }
  if (!no_base) address += value(base | (high_base ? 8 : 0));
  if (mode == 1) {
    address += static_cast<int8_t>(code[out->length++]);
  } else if (mode == 2 || no_base) {
    address += At<int32_t>(code + out->length, 0);
    out->length += 4;
  }
  if (relative) address += reinterpret_cast<greg_t>(code) + out->length;
  out->address = reinterpret_cast<uint8_t*>(address);
  return true;
}

bool Execute(const Instruction& i) {
  TileRegisters& tiles = Tiles();
  if (i.opcode == 0x49 && i.memory && i.prefix == kNone && i.reg == 0) {
    TileConfig config;
    __builtin_memcpy(&config, i.address + i.stride, sizeof(config));  // of one row: an index is part of the address
    tiles.Configure(config);
  } else if (i.opcode == 0x49 && !i.memory && i.prefix == kNone && i.reg == 0 && i.rm == 0) {
    tiles.Release();
  } else if (i.opcode == 0x49 && !i.memory && i.prefix == kF2 && i.rm == 0) {
    tiles.Zero(i.reg);
  } else if (i.opcode == 0x4B && i.memory && (i.prefix == kF2 || i.prefix == k66)) {
    tiles.Load(i.reg, i.address, i.stride);
  } else if (i.opcode == 0x4B && i.memory && i.prefix == kF3) {
    tiles.Store(i.reg, i.address, i.stride);
  } else if (i.opcode == 0x5E && !i.memory && i.prefix == k66) {
    tiles.MultiplyBytes(i.reg, i.rm, i.third);
  } else if (i.opcode == 0x5C && !i.memory && i.prefix == kF3) {
    tiles.MultiplyBf16(i.reg, i.rm, i.third);
  } else {
    return false;
  }
  return true;
}

void Refused(int, siginfo_t*, void* context) {
  greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto* code = reinterpret_cast<const uint8_t*>(registers[REG_RIP]);
  Instruction instruction;
  if (Decode(code, registers, &instruction) && Execute(instruction)) {
    registers[REG_RIP] += instruction.length;
    return;
  }
  signal(SIGILL, SIG_DFL);  // and the instruction is tried once more
}

__attribute__((constructor)) void Install() {
  struct sigaction action = {};
  action.sa_sigaction = Refused;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, nullptr);
}

}  // namespace
}  // namespace pawsight::kernels

#endif
