// Package safetensors reads and writes named tensors in the safetensors format:
// an 8-byte header length, a JSON header, the data. Reading is stricter than the
// format's reference implementation, because files come from outside: every
// byte must be accounted for exactly once, and nothing is allocated that the
// limits below do not allow. A file that is too large for memory is written by
// Join.
package safetensors

import "errors"

// What a file may hold. A file beyond a limit is refused, on reading and on
// writing; but see MaxJoined.
const (
	MaxSize    = 256 << 20 // bytes of a whole file
	MaxHeader  = 1 << 20   // bytes of the JSON header
	MaxTensors = 4096      // tensors, and as many metadata keys
	MaxRank    = 8         // dimensions of a tensor
	MaxName    = 256       // bytes of a tensor's name or a metadata key
)

// ErrFormat is wrapped by every error about the content of a file. The message
// names the tensor, or the offset of the offending byte in the file.
var ErrFormat = errors.New("not a valid safetensors file")

// DType is the element type of a tensor, spelled as in the file.
type DType string

// The element types of the format. Types of less than a byte are refused.
const (
	BOOL    DType = "BOOL"
	U8      DType = "U8"
	I8      DType = "I8"
	F8_E4M3 DType = "F8_E4M3"
	F8_E5M2 DType = "F8_E5M2"
	U16     DType = "U16"
	I16     DType = "I16"
	F16     DType = "F16"
	BF16    DType = "BF16"
	U32     DType = "U32"
	I32     DType = "I32"
	F32     DType = "F32"
	U64     DType = "U64"
	I64     DType = "I64"
	F64     DType = "F64"
)

// Size returns the bytes of one element, 0 for a type that is not listed above.
func (t DType) Size() int {
	switch t {
	case BOOL, U8, I8, F8_E4M3, F8_E5M2:
		return 1
	case U16, I16, F16, BF16:
		return 2
	case U32, I32, F32:
		return 4
	case U64, I64, F64:
		return 8
	}
	return 0
}

// Tensor is one named array, row-major and little endian. A tensor without
// dimensions has one element.
type Tensor struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// File is the content of a safetensors file.
type File struct {
	// Tensors in the order of their data.
	Tensors []Tensor
	// Metadata is the text kept under __metadata__; nil when there is none.
	Metadata map[string]string
}

// Tensor returns the tensor of that name, or nil. The result points into
// f.Tensors.
func (f *File) Tensor(name string) *Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}
