#include "frames/jpeg_means.h"

#include <algorithm>
#include <cstring>

namespace pawsight::frames {
namespace {

constexpr int kWindow = 12;  // bits that a table is asked with
constexpr size_t kWindows = size_t{1} << kWindow;
constexpr int kMaxCode = 16;    // bits of a code
constexpr int kMaxDcSize = 11;  // bits of a DC difference, T.81 table F.1
constexpr int kMaxAcSize = 10;  // bits of an AC coefficient, table F.2

/// The stream of a scan, bits from the left. At its end, or a marker, it gives zeros, and IsDry.
class BitReader {
 public:
  explicit BitReader(std::span<const uint8_t> data) : at_(data.data()), end_(data.data() + data.size()) {}

  /// Makes kReady bits ready, if there are so many.
  void Fill() {
    if (end_ - at_ >= 8) {
      uint64_t next = 0;
      std::memcpy(&next, at_, 8);
      const uint64_t inverted = ~next;
      // 0xFF begins a marker, or is followed by a byte that does not count: rare, and gone through by itself.
      if (((inverted - 0x0101010101010101U) & next & 0x8080808080808080U) == 0) {
        hold_ |= __builtin_bswap64(next) >> num_ready_;  // bits beyond num_ready_ are those that come next, or zeros
        at_ += (63 - num_ready_) >> 3;
        num_ready_ |= kReady;
        return;
      }
    }
    FillByByte();
  }
  /// The next 1..63 bits.
  uint64_t Next(int bits) const { return hold_ >> (64 - bits); }
  /// The `bits` behind the next `after`; 1.. and 0.. of them.
  int NextBehind(int after, int bits) const { return static_cast<int>(hold_ << after >> (64 - bits)); }
  /// Between two Fills at most kReady.
  void Skip(int bits) {
    hold_ <<= bits;
    num_ready_ -= bits;
  }
  bool IsDry() const { return num_ready_ < 0; }

  /// The marker that is next, behind at most the rest of a byte, which it goes past; 0: none.
  int TakeMarker() {
    FillByByte();
    if (num_ready_ < 0 || num_ready_ >= 8 || end_ - at_ < 2 || at_[0] != 0xFF) return 0;
    const int marker = at_[1];
    at_ += 2;
    hold_ = 0;
    num_ready_ = 0;
    return marker;
  }

  static constexpr int kReady = 56;

 private:
  void FillByByte() {
    while (num_ready_ >= 0 && num_ready_ < kReady && at_ < end_) {
      const bool escaped = *at_ == 0xFF;
      if (escaped && (end_ - at_ < 2 || at_[1] != 0)) return;
      hold_ |= uint64_t{*at_} << (kReady - num_ready_);
      num_ready_ += 8;
      at_ += escaped ? 2 : 1;
    }
  }

  const uint8_t* at_;
  const uint8_t* end_;
  uint64_t hold_ = 0;
  int num_ready_ = 0;  // below 0 and staying there: more was taken than there was
};

/// One code and what belongs to it.
struct Symbol {
  int bits = 0;  // of the code; 0: there is no such code
  int value = 0;
};

/// A Huffman table, asked by the next bits.
class Decoder {
 public:
  /// False: no table that libjpeg would take.
  bool Build(const HuffmanCodes& codes) {
    symbols_ = codes.symbols;
    windows_.fill({});
    int code = 0, place = 0;
    for (int bits = 1; bits <= kMaxCode; ++bits) {
      const int count = codes.counts[static_cast<size_t>(bits - 1)];
      ends_[static_cast<size_t>(bits)] = code + count;
      offsets_[static_cast<size_t>(bits)] = place - code;
      for (int i = 0; i < count; ++i, ++code, ++place) {
        if (bits > kWindow || code >= 1 << bits) continue;
        const auto first = static_cast<size_t>(code) << (kWindow - bits);
        std::fill_n(windows_.begin() + static_cast<ptrdiff_t>(first), size_t{1} << (kWindow - bits),
                    Short{static_cast<uint8_t>(bits), symbols_[static_cast<size_t>(place)]});
      }
      if (code >= 1 << bits) return false;  // no code is all ones
      code <<= 1;
    }
    return true;
  }
  /// Of the bits of a window, of which the code may need more.
  Symbol InWindow(size_t window) const { return {windows_[window].bits, windows_[window].value}; }
  Symbol Next(const BitReader& bits) const {
    const Symbol symbol = InWindow(bits.Next(kWindow));
    if (symbol.bits != 0) return symbol;
    for (int length = kWindow + 1; length <= kMaxCode; ++length) {
      const auto code = static_cast<int>(bits.Next(length));
      const auto row = static_cast<size_t>(length);
      if (code < ends_[row]) return {length, symbols_[static_cast<size_t>(code + offsets_[row])]};
    }
    return {};
  }

 private:
  struct Short {
    uint8_t bits = 0, value = 0;
  };
  std::span<const uint8_t> symbols_;
  std::array<Short, kWindows> windows_;
  std::array<int, kMaxCode + 1> ends_{}, offsets_{};  // by bits: behind the last code; place of a symbol less its code
};

/// DC differences of a component.
class DcReader {
 public:
  bool Build(const HuffmanCodes& codes) {
    return decoder_.Build(codes) && std::ranges::all_of(codes.symbols, [](int size) { return size <= kMaxDcSize; });
  }
  /// After a Fill; uses at most 27 bits. False: no code.
  bool Read(BitReader& bits, int* difference) const {
    const auto [length, size] = decoder_.Next(bits);
    if (length == 0) return false;
    *difference = 0;
    if (size > 0) {
      const int value = bits.NextBehind(length, size);
      *difference = value < 1 << (size - 1) ? value - (1 << size) + 1 : value;  // T.81 F.2.2.1
    }
    bits.Skip(length + size);
    return true;
  }

 private:
  Decoder decoder_;
};

/// Goes past the AC coefficients of a block, as many at once as a window holds whole codes of.
class AcSkipper {
 public:
  bool Build(const HuffmanCodes& codes) {
    for (const int symbol : codes.symbols) {
      const int size = symbol & 15;
      if (size > kMaxAcSize || (size == 0 && symbol != kEnd && symbol != kZeros)) return false;
    }
    if (!decoder_.Build(codes)) return false;
    for (size_t window = 0; window < kWindows; ++window) steps_[window] = StepOf(window);
    return true;
  }
  /// At a Fill or at most 27 bits behind it. False: what is there is no block.
  bool Skip(BitReader& bits) const {
    int at = 1;
    while (true) {
      Went went = SkipSome(bits, &at);
      if (went != Went::kOn) return went == Went::kToTheEnd;
      bits.Fill();  // is enough for two
      went = SkipSome(bits, &at);
      if (went != Went::kOn) return went == Went::kToTheEnd;
    }
  }

 private:
  static constexpr int kEndOfBlock = 64;
  static constexpr int kEnd = 0x00;    // no more of this block
  static constexpr int kZeros = 0xF0;  // 16 zeros
  /// Packed, so that it is read at once.
  class Step {
   public:
    Step() = default;
    Step(int bits, int coefficients, bool ends)
        : packed_(static_cast<uint32_t>(bits | coefficients << 8 | (ends ? 1 : 0) << 16)) {}
    int bits() const { return static_cast<int>(packed_ & 0xFFU); }  // of all its codes and of what follows each
    int coefficients() const { return static_cast<int>(packed_ >> 8U & 0xFFU); }
    bool ends() const { return packed_ >> 16U != 0; }  // the block

   private:
    uint32_t packed_ = 0;
  };

  enum class Went { kOn, kToTheEnd, kAstray };
  /// Uses at most 26 bits.
  Went SkipSome(BitReader& bits, int* at) const {
    const Step step = steps_[bits.Next(kWindow)];
    if (*at + step.coefficients() < kEndOfBlock) {
      bits.Skip(step.bits());
      *at += step.coefficients();
      return step.ends() ? Went::kToTheEnd : Went::kOn;
    }
    const auto [length, symbol] = decoder_.Next(bits);
    if (length == 0) return Went::kAstray;
    bits.Skip(length + (symbol & 15));
    if (symbol == kEnd) return Went::kToTheEnd;
    *at += (symbol >> 4) + 1;
    if (*at < kEndOfBlock) return Went::kOn;
    return *at == kEndOfBlock ? Went::kToTheEnd : Went::kAstray;
  }

  Step StepOf(size_t window) const {
    int bits = 0, coefficients = 0;
    while (bits < kWindow) {
      const auto [length, symbol] = decoder_.InWindow(window << bits & (kWindows - 1));
      if (length == 0 || length > kWindow - bits) break;
      bits += length + (symbol & 15);  // which may go on behind the window
      if (symbol == kEnd) return {bits, coefficients, true};
      coefficients += (symbol >> 4) + 1;
    }
    return bits > 0 ? Step(bits, coefficients, false) : Step(0, kEndOfBlock, false);  // not even one code is whole
  }

  Decoder decoder_;
  std::array<Step, kWindows> steps_;
};

/// A pixel of a block of which only the mean counts, or nothing where libjpeg's would be another: its table of limits
/// goes round there (jidctred.c, jdmaster.c).
std::optional<uint8_t> LevelOf(int mean, int step) {
  const int level = (mean * step + 4) >> 3;
  if (level < -512 || level > 511) return std::nullopt;
  return static_cast<uint8_t>(std::clamp(level + 128, 0, 255));
}

class ScanReader {
 public:
  explicit ScanReader(const BaselineScan& scan)
      : scan_(scan), bits_(scan.data), light_((scan.width + 7) / 8, (scan.height + 7) / 8) {}

  std::optional<Light> Read() {
    if (!dc_.Build(scan_.dc) || !ac_.Build(scan_.ac)) return std::nullopt;
    if (scan_.colours && (!colour_dc_.Build(scan_.colour_dc) || !colour_ac_.Build(scan_.colour_ac)))
      return std::nullopt;
    const int across = (light_.width + scan_.across - 1) / scan_.across;
    const int down = (light_.height + scan_.down - 1) / scan_.down;
    int until_restart = scan_.restart;
    for (int y = 0; y < down; ++y) {
      for (int x = 0; x < across; ++x) {
        if (scan_.restart > 0 && until_restart-- == 0) {
          if (!Restart()) return std::nullopt;
          until_restart = scan_.restart - 1;
        }
        if (!ReadUnit(x * scan_.across, y * scan_.down)) return std::nullopt;
      }
    }
    if (bits_.TakeMarker() != 0xD9) return std::nullopt;
    return std::move(light_);
  }

 private:
  bool Restart() {
    if (bits_.TakeMarker() != 0xD0 + restarts_) return false;
    restarts_ = (restarts_ + 1) & 7;
    mean_ = 0;
    return true;
  }
  bool ReadUnit(int left, int top) {
    for (int y = top; y < top + scan_.down; ++y) {
      for (int x = left; x < left + scan_.across; ++x) {
        if (!ReadBlock(x, y)) return false;
      }
    }
    int ignored = 0;
    for (int i = 0; scan_.colours && i < 2; ++i) {
      bits_.Fill();
      if (!colour_dc_.Read(bits_, &ignored) || !colour_ac_.Skip(bits_)) return false;
    }
    return !bits_.IsDry();
  }
  /// Blocks beyond the picture's edge are there to fill the last unit.
  bool ReadBlock(int x, int y) {
    bits_.Fill();
    int difference = 0;
    if (!dc_.Read(bits_, &difference) || !ac_.Skip(bits_)) return false;
    mean_ += difference;
    const std::optional<uint8_t> level = LevelOf(mean_, scan_.step);
    if (!level) return false;
    if (x < light_.width && y < light_.height) light_.row(y)[x] = *level;
    return true;
  }

  const BaselineScan& scan_;
  BitReader bits_;
  Light light_;
  int mean_ = 0;      // of the last block, in steps
  int restarts_ = 0;  // modulo 8
  DcReader dc_, colour_dc_;
  AcSkipper ac_, colour_ac_;
};

}  // namespace

std::optional<Light> BlockMeans(const BaselineScan& scan) { return ScanReader(scan).Read(); }

}  // namespace pawsight::frames
