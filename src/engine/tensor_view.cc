#include "engine/tensor_view.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/mapped_read.h"

namespace pawsight::engine {
namespace {

constexpr int64_t kMaxBytes = int64_t{1} << 48;
constexpr size_t kMaxDims = 8;

template <typename T>
T Load(const uint8_t* bytes, size_t idx) {
  T value;
  std::memcpy(&value, bytes + idx * sizeof(T), sizeof(T));
  return value;
}

/// Each converts `n` elements and returns whether all are finite as floats. No branch in the loops, so that they
/// vectorise: a checkpoint has hundreds of millions of elements.
bool FromF32(const uint8_t* in, float* out, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; ++i) {
    const auto bits = Load<uint32_t>(in, i);
    bad |= static_cast<uint32_t>((bits & 0x7F800000U) == 0x7F800000U);
    out[i] = std::bit_cast<float>(bits);
  }
  return bad == 0;
}

bool FromBF16(const uint8_t* in, float* out, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t bits = static_cast<uint32_t>(Load<uint16_t>(in, i)) << 16U;
    bad |= static_cast<uint32_t>((bits & 0x7F800000U) == 0x7F800000U);
    out[i] = std::bit_cast<float>(bits);
  }
  return bad == 0;
}

bool FromF16(const uint8_t* in, float* out, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t half = Load<uint16_t>(in, i);
    bad |= static_cast<uint32_t>((half & 0x7C00U) == 0x7C00U);
    // The half's exponent and mantissa, read as a float's, are 2^-112 times the value; subnormals come out right too.
    const float magnitude = std::bit_cast<float>((half & 0x7FFFU) << 13U) * 0x1p112F;
    out[i] = std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | ((half & 0x8000U) << 16U));
  }
  return bad == 0;
}

bool FromF64(const uint8_t* in, float* out, size_t n) {
  bool good = true;
  for (size_t i = 0; i < n; ++i) {
    const auto value = Load<double>(in, i);
    // The comparison fails for NaN too; what is beyond float's range must not be converted.
    const bool fits = std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max());
    good = good && fits;
    out[i] = fits ? static_cast<float>(value) : 0.0F;
  }
  return good;
}

using Convert = bool (*)(const uint8_t* in, float* out, size_t n);

Convert ConverterOf(DType dtype) {
  switch (dtype) {
    case DType::kF32: return FromF32;
    case DType::kF16: return FromF16;
    case DType::kBF16: return FromBF16;
    case DType::kF64: return FromF64;
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
    case DType::kI16:
    case DType::kU16:
    case DType::kI32:
    case DType::kU32:
    case DType::kI64:
    case DType::kU64: return nullptr;
  }
  return nullptr;
}

struct Conversion {
  Convert convert;
  const uint8_t* in;
  std::span<float> out;
  bool finite;
};

/// Where the first element lies that is not finite, for the message; the file may be gone by now, hence the guard
/// outside.
struct Search {
  Convert convert;
  const uint8_t* in;
  size_t element_bytes;
  size_t num_elements;
  size_t found;
};

void FindNotFinite(void* context) {
  Search& search = *static_cast<Search*>(context);
  float unused = 0.0F;
  for (size_t i = 0; i < search.num_elements; ++i) {
    if (!search.convert(search.in + i * search.element_bytes, &unused, 1)) {
      search.found = i;
      return;
    }
  }
}

struct Widening {
  DType dtype;
  const uint8_t* in;
  std::span<int64_t> out;
  bool fits;
};

template <typename T>
void Widen(Widening& w) {
  for (size_t i = 0; i < w.out.size(); ++i) {
    const T value = Load<T>(w.in, i);
    if constexpr (sizeof(T) == sizeof(int64_t) && std::numeric_limits<T>::min() == 0) {
      w.fits = w.fits && value <= static_cast<T>(std::numeric_limits<int64_t>::max());
    }
    w.out[i] = static_cast<int64_t>(value);
  }
}

void WidenAll(void* context) {
  Widening& w = *static_cast<Widening*>(context);
  switch (w.dtype) {
    case DType::kBool:
    case DType::kU8: return Widen<uint8_t>(w);
    case DType::kI8: return Widen<int8_t>(w);
    case DType::kI16: return Widen<int16_t>(w);
    case DType::kU16: return Widen<uint16_t>(w);
    case DType::kI32: return Widen<int32_t>(w);
    case DType::kU32: return Widen<uint32_t>(w);
    case DType::kI64: return Widen<int64_t>(w);
    case DType::kU64: return Widen<uint64_t>(w);
    case DType::kF16:
    case DType::kBF16:
    case DType::kF32:
    case DType::kF64: return;
  }
}

}  // namespace

size_t ElementBytes(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
    case DType::kI8: return 1;
    case DType::kI16:
    case DType::kU16:
    case DType::kF16:
    case DType::kBF16: return 2;
    case DType::kI32:
    case DType::kU32:
    case DType::kF32: return 4;
    case DType::kF64:
    case DType::kI64:
    case DType::kU64: return 8;
  }
  return 1;
}

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kBool: return "BOOL";
    case DType::kU8: return "U8";
    case DType::kI8: return "I8";
    case DType::kI16: return "I16";
    case DType::kU16: return "U16";
    case DType::kF16: return "F16";
    case DType::kBF16: return "BF16";
    case DType::kI32: return "I32";
    case DType::kU32: return "U32";
    case DType::kF32: return "F32";
    case DType::kF64: return "F64";
    case DType::kI64: return "I64";
    case DType::kU64: return "U64";
  }
  return "?";
}

bool IsFloating(DType dtype) { return ConverterOf(dtype) != nullptr; }

int64_t TensorView::num_elements() const {
  int64_t product = 1;
  for (const int64_t dim : shape) product *= dim;
  return product;
}

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (const int64_t dim : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dim);
  }
  return text + "]";
}

Result<int64_t> CheckedBytes(std::span<const int64_t> shape, DType dtype) {
  if (shape.size() > kMaxDims) {
    return InvalidArgument("a shape of " + std::to_string(shape.size()) + " dimensions, more than " +
                           std::to_string(kMaxDims));
  }
  // All dimensions are looked at, also after a 0: [0, 2^60] is no shape either.
  int64_t product = static_cast<int64_t>(ElementBytes(dtype));
  bool empty = false;
  for (const int64_t dim : shape) {
    if (dim < 0) return InvalidArgument("shape " + ShapeText(shape) + " has a negative dimension");
    empty = empty || dim == 0;
    if (dim > 0 && product > kMaxBytes / dim) {
      return InvalidArgument("shape " + ShapeText(shape) + " is larger than any file");
    }
    product *= dim > 0 ? dim : 1;
  }
  return empty ? 0 : product;
}

Status ToFloat(const TensorView& tensor, std::span<float> out) {
  CHECK(out.size() == static_cast<size_t>(tensor.num_elements()));
  CHECK(tensor.bytes.size() == out.size() * ElementBytes(tensor.dtype));
  const Convert convert = ConverterOf(tensor.dtype);
  if (convert == nullptr) {
    return InvalidArgument("its type is " + std::string(DTypeName(tensor.dtype)) + ", want F32, F16, BF16 or F64",
                           "dtype_unsupported");
  }
  if (out.empty()) return Ok();
  Conversion conversion{convert, tensor.bytes.data(), out, true};
  const bool whole = SurvivesMissingPages(
      [](void* context) {
        Conversion& c = *static_cast<Conversion*>(context);
        c.finite = c.convert(c.in, c.out.data(), c.out.size());
      },
      &conversion);
  if (!whole) return FileShrunk();
  if (conversion.finite) return Ok();
  Search search{convert, tensor.bytes.data(), ElementBytes(tensor.dtype), out.size(), 0};
  if (!SurvivesMissingPages(FindNotFinite, &search)) return FileShrunk();
  return InvalidArgument("element " + std::to_string(search.found) + " of " + std::to_string(out.size()) +
                             " is NaN, infinite or beyond a float; the file is damaged or its training diverged",
                         "weights_not_finite");
}

Result<std::vector<float>> ToFloat(const TensorView& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.num_elements()));
  PAWSIGHT_RETURN_IF_ERROR(ToFloat(tensor, out));
  return out;
}

Result<std::vector<int64_t>> ToInt64(const TensorView& tensor) {
  if (IsFloating(tensor.dtype)) {
    return InvalidArgument("its type is " + std::string(DTypeName(tensor.dtype)) + ", want integers",
                           "dtype_unsupported");
  }
  std::vector<int64_t> out(static_cast<size_t>(tensor.num_elements()));
  CHECK(tensor.bytes.size() == out.size() * ElementBytes(tensor.dtype));
  if (out.empty()) return out;
  Widening widening{tensor.dtype, tensor.bytes.data(), out, true};
  if (!SurvivesMissingPages(WidenAll, &widening)) return FileShrunk();
  if (!widening.fits) return InvalidArgument("an integer above 2^63-1", "dtype_unsupported");
  return out;
}

}  // namespace pawsight::engine
